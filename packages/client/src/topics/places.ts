import { isPosition, type Position } from './feed.ts'

/** Where places are kept: `sessionStorage`, `localStorage`, or anything like them. */
export interface PlaceStorage {
  /** Returns what was stored under a name, or `null`. */
  getItem(name: string): string | null
  /** Stores a value under a name. */
  setItem(name: string, value: string): void
}

/** The storage of the session; undefined where there is none, or pages may not use it. */
export function sessionStore(): PlaceStorage | undefined {
  try {
    return globalThis.sessionStorage
  } catch {
    return undefined
  }
}

/** What was stored under a name; undefined if that is nothing. */
export function recall(storage: PlaceStorage | undefined, name: string): unknown {
  try {
    return JSON.parse(storage?.getItem(name) ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

/** Stores a value under a name, unless the storage is full or forbidden. */
export function remember(storage: PlaceStorage | undefined, name: string, value: unknown): void {
  try {
    storage?.setItem(name, JSON.stringify(value))
  } catch {
    // It is not needed.
  }
}

/** How often places are written, at most, in milliseconds. */
const writeMs = 100

/** Where the page is in each topic, kept over a reload. */
export class Places {
  readonly #storage: PlaceStorage
  readonly #name: string
  readonly #places: Map<string, Position>
  #timer: ReturnType<typeof setTimeout> | undefined
  #isNew = false

  /** @param name under which they are stored */
  constructor(storage: PlaceStorage, name: string) {
    this.#storage = storage
    this.#name = name
    this.#places = new Map(Object.entries(recall(storage, name) ?? {}).filter(([, place]) => isPosition(place)))
    globalThis.addEventListener?.('pagehide', this.write)
  }

  get(topic: string): Position | undefined {
    return this.#places.get(topic)
  }

  set(topic: string, position: Position | undefined): void {
    if (position === undefined) return
    this.#places.set(topic, position)
    this.#isNew = true
    // At once, if it can be: Firefox may lose what is written while a page is left.
    if (this.#timer === undefined) this.write()
  }

  readonly write = (): void => {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#isNew) return
    this.#isNew = false
    remember(this.#storage, this.#name, Object.fromEntries(this.#places))
    this.#timer = setTimeout(this.write, writeMs)
  }

  close(): void {
    this.write()
    clearTimeout(this.#timer)
    globalThis.removeEventListener?.('pagehide', this.write)
  }
}
