import type { AttachOptions } from '@oneport/core'
import { origin, type Settings, subprotocol } from './endpoint.ts'

/** Oneport's defaults, except for the log line for a refused origin: no other contender logs one. */
export function oneportOptions({ heartbeat }: Settings): Omit<AttachOptions, 'effectiveRequest'> {
  return {
    allowedOrigins: [origin],
    subprotocols: [subprotocol],
    onRefused: () => {},
    heartbeat: heartbeat === 'off' ? false : heartbeat === undefined ? undefined : { intervalMs: heartbeat }
  }
}
