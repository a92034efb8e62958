import type { Address } from './address.ts'
import type { Arguments } from './arguments.ts'

/** What a process has to serve. */
export interface Job extends Pick<Arguments, 'framework' | 'redis'>, Pick<Address, 'host' | 'port' | 'tls'> {}

/** What the primary process tells another one. */
export type Order = { readonly demo: 'serve'; readonly job: Job } | { readonly demo: 'end' }

/** What a process tells the primary one. */
export type Report =
  | { readonly demo: 'listening' }
  | { readonly demo: 'failed'; readonly code: string | undefined; readonly message: string }
  /** It wants something to be printed, once for all processes. */
  | { readonly demo: 'say'; readonly sentence: string }
  /** Somebody wants a process to be killed. */
  | { readonly demo: 'kill'; readonly pid: number }

/** Other messages are those of the topics. */
const isOurs = (message: unknown): boolean => typeof message === 'object' && message !== null && 'demo' in message

export const readOrder = (message: unknown): Order | undefined => (isOurs(message) ? (message as Order) : undefined)

export const readReport = (message: unknown): Report | undefined => (isOurs(message) ? (message as Report) : undefined)
