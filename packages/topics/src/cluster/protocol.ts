import type { KeptLimits, Position } from '../backplane.ts'

/**
 * Marks our messages among those of the application. Processes of another version have another mark. Bytes are in
 * base64, because by default IPC is JSON.
 */
export const mark = 'oneport:topics:1'

/** What a worker asks the primary to do. */
export type Call =
  | { readonly do: 'join'; readonly name: string }
  | { readonly do: 'leave' }
  | { readonly do: 'publish'; readonly topic: string; readonly message: string }
  | {
      readonly do: 'append'
      readonly topic: string
      readonly message: string
      readonly limits: Sent<KeptLimits>
      readonly messageName: string | undefined
    }
  | {
      readonly do: 'read'
      readonly topic: string
      readonly after: Position | undefined
      readonly limits: Sent<KeptLimits>
    }
  | { readonly do: 'subscribe' | 'unsubscribe'; readonly topic: string }

/** JSON has no `Infinity`: it becomes `null`. */
type Sent<Limits> = { readonly [Name in keyof Limits]: number | null }

export interface Request {
  readonly type: typeof mark
  /** Which backplane of the worker. */
  readonly node: string
  readonly id: number
  readonly call: Call
}

export type Result =
  | Position
  | { readonly epoch: string; readonly last: number; readonly messages: readonly string[] }
  | undefined

/** What the primary tells a worker. */
export type News =
  | { readonly answers: number; readonly result?: Result; readonly error?: string }
  | { readonly topic: string; readonly message: string; readonly position?: Position | undefined }
  | { readonly lost: readonly string[] }

export interface Report {
  readonly type: typeof mark
  readonly node: string
  readonly news: News
}

const isOurs = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && (message as Partial<Request>).type === mark

export const isRequest = (message: unknown): message is Request => isOurs(message) && 'call' in (message as object)

export const isReport = (message: unknown): message is Report => isOurs(message) && 'news' in (message as object)

export function limitsOf({ messages, ms, bytes }: Sent<KeptLimits>): KeptLimits {
  return { messages: messages ?? Infinity, ms: ms ?? Infinity, bytes: bytes ?? Infinity }
}
