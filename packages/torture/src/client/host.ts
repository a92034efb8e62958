import type { Command, News } from './library.ts'

/** Where the library of a client runs: in this process, or in a page. */
export interface Host {
  /** Connects the library. Never rejects. */
  open(): Promise<void>
  /** Passes on a command. Without a library to hear it, it is lost. */
  obey(command: Command): void
  /** Reads nothing for a while. */
  doze(ms: number): Promise<void>
  /** Begins anew, as a page that is loaded again. */
  reload(ms: number): Promise<void>
  close(): Promise<void>
  /** Whether something is done to it, so that its library may hear nothing. */
  readonly isAway: boolean
}

/** The client whose library it is. */
export interface Owner {
  readonly name: string
  /** What a library that has just begun is to do. */
  beginning(): Command[]
  hear(news: News): void
  /** The library has ended, and with it what it had to do. */
  lose(): void
  /** A command did not arrive, or nobody knows. */
  lost(command: Command): void
}
