import type { TopicsOptions } from '@oneport/client'
import type { Command, News } from '../client/library.ts'
import type { Fault } from '../settings.ts'

/** What a page tells the torture: everything that happens, numbered, and when it is left. */
export interface Told {
  readonly number: number
  readonly news: News | 'bye'
}

/** What the torture tells a page that has loaded. */
export interface Start {
  readonly url: string
  readonly options: TopicsOptions
  readonly commands: readonly Command[]
  readonly fault: Fault | undefined
}
