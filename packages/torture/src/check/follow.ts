import { type Entry, type Log, lineOf } from '../journal.ts'
import type { Archive } from './archive.ts'
import type { Contradiction } from './contradiction.ts'

/** Which gaps there may be. */
export interface Rules {
  /** Whether the store may have lost its messages, so that an epoch may end. */
  readonly mayEnd: boolean
  /** Whether the history may be too short for who comes back. */
  readonly mayTrim: boolean
}

/** Where a client is in a topic. */
export interface Place {
  readonly epoch: string
  readonly offset: number
}

interface State {
  since: string
  isSubscribed: boolean
  epoch: string
  offset: number
  last: Entry | undefined
  /** The newest message seen in each epoch. */
  readonly seen: Map<string, number>
}

/** Follows a client through each of its topics: every offset once and in order, but for what a gap names. */
export function follow(
  { name, entries }: Log,
  archive: Archive,
  rules: Rules,
  report: (contradiction: Contradiction) => void
): ReadonlyMap<string, Place> {
  const states = new Map<string, State>()
  const stateOf = (topic: string): State => {
    const state = states.get(topic) ?? begin()
    states.set(topic, state)
    return state
  }

  const take = (entry: Entry): void => {
    if (entry.kind === 'lost') for (const state of states.values()) state.isSubscribed = false
    if (entry.kind === 'unsubscribed') stateOf(entry.topic).isSubscribed = false
    if (entry.kind === 'trouble') report({ what: `${name}: ${entry.what}.`, lines: [lineOf(name, entry)] })
    if (entry.kind === 'ask') stateOf(entry.topic).since = entry.since
    if (entry.kind !== 'subscribed' && entry.kind !== 'gap' && entry.kind !== 'message') return
    const { topic } = entry
    const state = stateOf(topic)
    const wrong = entry.kind === 'message' ? judgeMessage(state, entry) : judgeMove(state, entry, rules)
    if (wrong !== undefined) {
      const lines = state.last === undefined ? [] : [lineOf(name, state.last)]
      report({ what: `${name} in ${topic}: ${wrong}.`, lines: [...lines, lineOf(name, entry)] })
    }
    state.last = entry
    state.offset = entry.offset
    if (entry.kind === 'message') {
      const other = archive.add(name, state.epoch, entry)
      if (other !== undefined) report(other)
      state.seen.set(state.epoch, Math.max(entry.offset, state.seen.get(state.epoch) ?? 0))
      return
    }
    state.epoch = entry.epoch
    if (entry.kind === 'subscribed') state.isSubscribed = true
    archive.live(topic, entry.epoch, entry.at)
  }

  for (const entry of entries) take(entry)
  return new Map([...states].map(([topic, { epoch, offset }]) => [topic, { epoch, offset }]))
}

const begin = (): State => ({ since: '-', isSubscribed: false, epoch: '', offset: 0, last: undefined, seen: new Map() })

/** @returns what is wrong */
function judgeMessage(state: State, { offset }: Entry & { kind: 'message' }): string | undefined {
  const { epoch, isSubscribed, seen } = state
  if (!isSubscribed) return 'a message without a subscription'
  if (offset <= (seen.get(epoch) ?? 0)) return `message ${offset} again`
  if (offset !== state.offset + 1) return `message ${offset} behind ${state.offset}, without a gap`
  return undefined
}

/** @returns what is wrong */
function judgeMove(state: State, entry: Entry & { kind: 'subscribed' | 'gap' }, rules: Rules): string | undefined {
  const isGap = entry.kind === 'gap' || entry.beginning === 'gap'
  const { epoch, offset } = entry
  if (entry.kind === 'gap' && !state.isSubscribed) return 'a gap without a subscription'
  if (!isGap) {
    const isNew = entry.beginning === 'new'
    if (isNew) return state.since === '-' || state.since === 'all' ? undefined : 'a new beginning for who came back'
    return state.since === `${epoch}:${offset}` ? undefined : `resumed at ${epoch}:${offset}, and not at ${state.since}`
  }
  if (entry.kind === 'subscribed' && state.since === '-') return 'a gap for who has not been there before'
  if (epoch !== state.epoch) return rules.mayEnd ? undefined : 'another epoch, and nothing was lost'
  if (offset <= state.offset) return `a gap of nothing, from ${state.offset} to ${offset}`
  return rules.mayTrim ? undefined : 'a gap, and the history goes back far enough'
}
