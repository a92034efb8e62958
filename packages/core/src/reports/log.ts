import type { HandshakeError } from '../errors.ts'
import { describe, describeBriefly, indented, quote } from '../show.ts'
import { contain, type FaultContext, type FaultReporter } from './fault.ts'

/** The default `onError`: logs the error with its stack, or without if the client broke the protocol. Never throws. */
export function logFault(error: unknown, { phase, request }: FaultContext): void {
  const description = phase === 'protocol' ? describeBriefly(error) + limitOf(error) : describe(error)
  write(`fault in ${phase} at ${quote(request.path)}: ${description}`)
}

/** The limits that a peer exceeds, by the code of the error of `ws`. */
const limits: ReadonlyMap<unknown, string> = new Map([
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', ' (maxPayloadBytes)'],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', ' (ws.maxFragments, ws.maxBufferedChunks)']
])

/** Which option a peer has exceeded. Never throws: an `onError` may throw anything. */
function limitOf(error: unknown): string {
  try {
    return limits.get((error as { code?: unknown }).code) ?? ''
  } catch {
    return ''
  }
}

/** Wraps an `onError` so that it never throws. If it fails, both faults are logged: the reported one and its own. */
export const faultReporter =
  (onError: (error: unknown, context: FaultContext) => unknown): FaultReporter =>
  (error, context) =>
    contain(
      () => onError(error, context),
      (fault) => {
        logFault(error, context)
        logFault(fault, context)
      }
    )

/** A framework that logs refusals in its own way. */
export interface RefusalLog {
  /** Logs a refused handshake. */
  logRefusal?(error: HandshakeError): void
}

/** The default `onRefused`: logs refusals that have a detail for the operator. */
export function logRefusal(error: HandshakeError, framework?: RefusalLog): void {
  if (framework?.logRefusal !== undefined) framework.logRefusal(error)
  else if (error.detail !== undefined) write(`${error.code}: ${indented(error.detail)}`)
}

/**
 * Writes a line to stderr. If that fails, for example because the reader of a pipe is gone, only the line is lost: an
 * `error` event without a listener would end the process. Node's `console` does the same.
 */
function write(line: string): void {
  try {
    const { stderr } = process
    const listen = (): unknown => stderr.listenerCount('error') === 0 && stderr.once('error', ignore)
    listen()
    stderr.write(`oneport: ${line}\n`, (error) => {
      // `error` is emitted after this callback.
      if (error) listen()
      else stderr.off('error', ignore)
    })
  } catch {
    // The application has replaced `write`, and that failed.
  }
}

function ignore(): void {}
