/** The key and certificate of a TLS server, for tests. */
export interface Certificate {
  /** The private key, as PEM. */
  readonly key: string
  /** The certificate, as PEM. */
  readonly cert: string
}

let made: Promise<Certificate> | undefined

/** Returns a self-signed certificate for localhost, created once per test file. */
export function certificate(): Promise<Certificate> {
  made ??= make()
  return made
}

async function make(): Promise<Certificate> {
  // Loaded lazily: it is slow, and most tests use no TLS.
  const { generate } = await import('selfsigned')
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' })
  return { key: pems.private, cert: pems.cert }
}
