import { generate } from 'selfsigned'

/** A certificate and its private key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Makes a self-signed certificate for this run; browsers warn about it. Nothing is written to disk. */
export async function makeCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' })
  return { cert, key }
}
