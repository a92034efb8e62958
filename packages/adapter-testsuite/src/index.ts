export { takePrinted } from './fail-on-console.ts'
export { handshake, type RawResponse, sendRaw } from './raw-client.ts'
