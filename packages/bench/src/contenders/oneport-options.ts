import type { AttachOptions } from '@oneport/core'
import { origin, type Settings, subprotocol } from './endpoint.ts'

/** Oneport's defaults, but for the line that it logs when it refuses an origin: nobody else logs one. */
export function oneportOptions({ heartbeat }: Settings): Omit<AttachOptions, 'effectiveRequest'> {
  return {
    allowedOrigins: [origin],
    subprotocols: [subprotocol],
    onRefused: () => {},
    heartbeat: heartbeat === 'off' ? false : heartbeat === undefined ? undefined : { intervalMs: heartbeat }
  }
}
