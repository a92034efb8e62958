import type { Answer } from './answer.ts'
import { Desk, random } from './desk.ts'
import { Guest, guestWire, type Request } from './guest.ts'
import type { OnState } from './ways.ts'

/** What a tab asks the leader. */
interface Letter {
  readonly tab: string
  /** Which welcome the request follows. One that was on its way when there was another would get its answer. */
  readonly visit: string
  readonly request: Request | 'hello' | 'bye'
}

/** What the leader tells a tab. */
type Notice = { readonly answer: Answer } | { readonly welcome?: string; readonly state: Parameters<OnState> }

/** A tab, from one welcome to the next. */
interface Visit {
  readonly id: string
  readonly guest: Guest
  readonly answers: BroadcastChannel
}

/** Makes the connection that all tabs share. */
export type Connect = (desk: Desk, onState: OnState) => () => void

/**
 * Lets the tabs of an origin use one connection. The leader, who has it, is the tab that holds a lock; the others talk to
 * it. When that tab closes, the browser gives the lock to the next one, and everybody goes on from where they are.
 * @param name which tabs belong together
 * @param desk the topics of this tab
 * @returns what ends it
 */
export function joinTabs(name: string, desk: Desk, connect: Connect, onState: OnState): () => void {
  const tab = random()
  const requests = new BroadcastChannel(name)
  const answers = new BroadcastChannel(name + tab)
  const end = new AbortController()
  const ended = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()))
  /** Holds a lock to the end. */
  const hold = (lock: string, work: () => unknown): void => {
    navigator.locks
      .request(lock, { signal: end.signal }, async () => {
        work()
        await ended
      })
      // The end came first.
      .catch(() => {})
  }
  let visit = ''
  const say = (request: Letter['request']): void => requests.postMessage({ tab, visit, request } satisfies Letter)
  const wire = guestWire(say)
  requests.onmessage = ({ data }) => {
    if (data === begun) say('hello')
  }
  answers.onmessage = ({ data }: MessageEvent<Notice>) => {
    if ('answer' in data) {
      desk.hear(data.answer)
      return
    }
    if (data.welcome !== undefined) {
      visit = data.welcome
      desk.use(wire)
    }
    onState(...data.state)
  }
  // As long as this tab holds its own lock, the leader knows that it lives.
  hold(name + tab, () => say('hello'))
  hold(name, () => {
    const stop = lead(name, connect)
    void ended.then(stop)
  })
  return () => {
    say('bye')
    end.abort()
    requests.close()
    answers.close()
  }
}

/** What a new leader tells all tabs. */
const begun = 'begun'

/** Serves all tabs, this one too. @returns what ends it */
function lead(name: string, connect: Connect): () => void {
  const requests = new BroadcastChannel(name)
  const guests = new Map<string, Visit>()
  let state: Parameters<OnState> = ['connecting']
  const desk = new Desk(Infinity)
  const close = connect(desk, (...given) => {
    state = given
    for (const { answers } of guests.values()) answers.postMessage({ state } satisfies Notice)
  })
  const bye = (tab: string): void => {
    guests.get(tab)?.guest.leave()
    guests.get(tab)?.answers.close()
    guests.delete(tab)
  }
  requests.onmessage = ({ data }: MessageEvent<Letter>) => {
    const { request, tab, visit } = data
    if (tab === undefined) return
    if (request === 'hello') {
      if (guests.has(tab)) bye(tab)
      else void navigator.locks.request(name + tab, () => bye(tab))
      const answers = new BroadcastChannel(name + tab)
      const guest = new Guest(desk, (answer) => answers.postMessage({ answer } satisfies Notice))
      const welcome = random()
      guests.set(tab, { id: welcome, guest, answers })
      answers.postMessage({ welcome, state } satisfies Notice)
    } else if (request === 'bye') {
      bye(tab)
    } else {
      const { id, guest } = guests.get(tab) ?? {}
      if (visit === id && state[0] !== 'closed') guest?.handle(request)
    }
  }
  requests.postMessage(begun)
  return () => {
    requests.close()
    for (const tab of [...guests.keys()]) bye(tab)
    close()
  }
}
