import type { StoreName } from './store.ts'

/** What a node does wrong on purpose. */
export type Fault = 'drop' | 'double' | 'swap'

/** What a node is started with. */
export interface NodeSettings {
  readonly port: number
  readonly store: StoreName
  readonly url: string
  /** How many messages each topic keeps. */
  readonly messages: number
  readonly fault: Fault | undefined
}
