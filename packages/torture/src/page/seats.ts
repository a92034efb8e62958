import type { Random } from '@oneport/kit'
import type { BrowserContext } from 'playwright-core'
import type { Door } from '../client/client.ts'
import { Relay } from '../stage/relay.ts'
import type { PageBrowser } from './browser.ts'

/** Where a page is. */
export interface Seat {
  /** Its storage, which it may have together with another one, as well as the network. */
  readonly context: Promise<BrowserContext>
  /** Leads to the door that serves the page, which talks to nobody else. */
  readonly network: Relay
  /** Where that listens. */
  readonly port: Promise<number>
  /** Names the tabs that share a connection. */
  readonly share: string | undefined
}

/** Seats for pages: two tabs that share a connection, two pages on their own, and so on. */
export function seatsOf(count: number, browser: PageBrowser, doors: readonly Door[], random: Random): Seat[] {
  const seats: Seat[] = []
  const sit = (share: string | undefined): Seat => {
    const context = browser.newContext()
    const network = new Relay(random.pick(doors).port)
    const port = network.listen()
    // Whoever opens the page sees that it has failed.
    for (const work of [context, port]) work.catch(() => {})
    return { context, network, port, share }
  }
  while (seats.length < count) {
    const together = sit(`tabs-${seats.length}`)
    seats.push(together, together, sit(undefined), sit(undefined))
  }
  return seats.slice(0, count)
}

/** Closes the networks of seats that nobody uses any more. */
export async function clear(seats: readonly Seat[]): Promise<void> {
  await Promise.allSettled(seats.map(({ port }) => port))
  await Promise.all([...new Set(seats.map(({ network }) => network))].map((network) => network.close()))
}
