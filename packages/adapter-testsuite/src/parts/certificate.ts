/** Key and certificate of a TLS server for tests. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

let made: Promise<Certificate> | undefined

/** A self-signed certificate for localhost, made once per test file. */
export function certificate(): Promise<Certificate> {
  made ??= make()
  return made
}

async function make(): Promise<Certificate> {
  // It takes a while to load, and most tests speak no TLS.
  const { generate } = await import('selfsigned')
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' })
  return { key: pems.private, cert: pems.cert }
}
