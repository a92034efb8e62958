import { generate } from 'selfsigned'

/** Key and certificate of a TLS server for tests. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

let made: Promise<Certificate> | undefined

/** A self-signed certificate for localhost, made once per test file. */
export function certificate(): Promise<Certificate> {
  made ??= generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' }).then((pems) => ({
    key: pems.private,
    cert: pems.cert
  }))
  return made
}
