import type { HandshakeError } from '../errors.ts'
import type { FaultContext } from './fault.ts'

const write = (line: string): void => {
  process.stderr.write(`oneport: ${line}\n`)
}

/** The default `onError`: one line, without the stack's line breaks. */
export function logFault(error: unknown, { phase }: FaultContext): void {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  write(`fault in ${phase}: ${text.replace(/\s*\n\s*/g, ' | ')}`)
}

/** The default `onRefused`: a line where it is likely that the operator has to change something. */
export function logRefusal(error: HandshakeError): void {
  if (error.detail !== undefined) write(`${error.code}: ${error.detail}`)
}
