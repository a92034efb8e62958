import { generate } from 'selfsigned'

/** What a TLS server shows, and the key that belongs to it; both PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Makes a certificate for this run. It signs itself, so browsers warn of it; nothing is written to disk. */
export async function makeCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' })
  return { cert, key }
}
