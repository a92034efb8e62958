import type { StoreName } from './store.ts'

/** What a node or a page does wrong on purpose. */
export type Fault = 'drop' | 'double' | 'swap' | 'mute'

/** What a node is started with. */
export interface NodeSettings {
  readonly port: number
  readonly store: StoreName
  /** Where the store is. */
  readonly urls: readonly string[]
  /** How many messages each topic keeps. */
  readonly messages: number
  readonly fault: Fault | undefined
  /** The file of the program of pages, if there are some. */
  readonly script: string | undefined
}
