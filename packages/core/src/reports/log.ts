import type { HandshakeError } from '../errors.ts'
import { describe, describeBriefly, indented } from '../show.ts'
import { contain, type FaultContext, type FaultReporter } from './fault.ts'

/** The default `onError`: the error with its stack. What a peer did wrong is one line without. Never throws. */
export function logFault(error: unknown, { phase }: FaultContext): void {
  write(`fault in ${phase}: ${phase === 'protocol' ? describeBriefly(error) : describe(error)}`)
}

/** An `onError` that never throws: where it fails, its own fault and the one that it was told of are logged. */
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
  logRefusal?(error: HandshakeError): void
}

/** The default `onRefused`: a line where it is likely that the operator has to change something. */
export function logRefusal(error: HandshakeError, framework?: RefusalLog): void {
  if (framework?.logRefusal !== undefined) framework.logRefusal(error)
  else if (error.detail !== undefined) write(`${error.code}: ${indented(error.detail)}`)
}

/**
 * Writes a line to stderr. Where that fails, as when the reader of a pipe has gone, the line is lost and nothing else:
 * an `error` event that nobody listens for would end the process. Node's `console` does the same.
 */
function write(line: string): void {
  try {
    const { stderr } = process
    const listen = (): unknown => stderr.listenerCount('error') === 0 && stderr.once('error', ignore)
    listen()
    stderr.write(`oneport: ${line}\n`, (error) => {
      // The event comes after this call.
      if (error) listen()
      else stderr.off('error', ignore)
    })
  } catch {
    // Whoever replaced `write` has nowhere to put the line.
  }
}

function ignore(): void {}
