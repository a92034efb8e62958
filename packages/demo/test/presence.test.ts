import { MemoryHub } from '@oneport/topics'
import { type People, Presence } from '../src/presence.ts'

/** A process: who is there, and what it knows about the others. */
class Process {
  readonly presence: Presence
  people: People
  #onChange = (): void => {}

  constructor(hub: MemoryHub, people: Record<string, string[]> = {}) {
    this.people = new Map(Object.entries(people))
    this.presence = new Presence(
      hub.join(),
      () => this.people,
      () => this.#onChange(),
      { beatMs: 20, patienceMs: 200 }
    )
  }

  get others(): object[] {
    return this.presence.others.map((people) => Object.fromEntries(people))
  }

  move(people: Record<string, string[]>): void {
    this.people = new Map(Object.entries(people))
    this.presence.tell()
  }

  async sees(...others: object[]): Promise<void> {
    const wanted = JSON.stringify(others)
    while (JSON.stringify(this.others) !== wanted) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve
      })
    }
  }
}

let hub: MemoryHub
let processes: Process[]

beforeEach(() => {
  hub = new MemoryHub()
  processes = []
})

afterEach(() => Promise.all(processes.map(({ presence }) => presence.close())))

function start(people?: Record<string, string[]>): Process {
  const process = new Process(hub, people)
  processes.push(process)
  return process
}

it('tells a new process who is there, and tells the others about it', async () => {
  const one = start({ lobby: ['Ada'] })
  const other = start({ lobby: ['Grace'], tea: ['Tim'] })
  await other.sees({ lobby: ['Ada'] })
  await one.sees({ lobby: ['Grace'], tea: ['Tim'] })
})

it('reports who joins and leaves', async () => {
  const [one, other] = [start(), start()]
  other.move({ lobby: ['Grace'] })
  await one.sees({ lobby: ['Grace'] })
  other.move({ lobby: ['Grace', 'Tim'], constructor: ['Mary'] })
  await one.sees({ lobby: ['Grace', 'Tim'], constructor: ['Mary'] })
  other.move({})
  await one.sees()
})

it('names the rooms that changed, and says nothing if none did', async () => {
  const changes: (readonly string[])[] = []
  const backplane = hub.join()
  const presence = new Presence(
    backplane,
    () => new Map(),
    (rooms) => changes.push(rooms)
  )
  const other = start({ lobby: ['Grace'], tea: ['Tim'] })
  const watching = start()
  await watching.sees({ lobby: ['Grace'], tea: ['Tim'] })
  other.move({ lobby: ['Grace'], tea: ['Tim'] })
  other.move({ lobby: ['Grace'], deploys: ['Tim'] })
  await watching.sees({ lobby: ['Grace'], deploys: ['Tim'] })
  expect(changes).toEqual([
    ['lobby', 'tea'],
    ['tea', 'deploys']
  ])
  await presence.close()
})

it('forgets a process that falls silent', async () => {
  const one = start({ lobby: ['Ada'] })
  const dead = hub.join()
  await dead.subscribe('*processes', () => {})
  await dead.publish('*processes', Buffer.from('{"process":"dead","people":[["lobby",["Grace"]]],"asks":false}'))
  await one.sees({ lobby: ['Grace'] })
  await one.sees()
})

it('forgets a process at once when it shuts down', async () => {
  const one = start()
  const other = start({ lobby: ['Grace'] })
  await one.sees({ lobby: ['Grace'] })
  await other.presence.close()
  await one.sees()
})

it('starts while the backplane is down, and connects once it is up', async () => {
  hub.health = 'down'
  const [one, other] = [start({ lobby: ['Ada'] }), start({ lobby: ['Grace'] })]
  await new Promise(setImmediate)
  expect([one.others, other.others]).toEqual([[], []])
  hub.health = 'up'
  await one.sees({ lobby: ['Grace'] })
  await other.sees({ lobby: ['Ada'] })
})

it.each([
  'no JSON',
  '7',
  'null',
  '{}',
  '{"process":7,"people":[],"asks":false}',
  '{"process":"x","people":{"lobby":["Mallory"]},"asks":false}',
  '{"process":"x","people":[["lobby",["Mallory",7]]],"asks":false}',
  '{"process":"x","people":[["lobby","Mallory"]],"asks":false}',
  '{"process":"x","people":[null],"asks":false}'
])('ignores %s', async (message) => {
  const one = start()
  const foreign = hub.join()
  await foreign.publish('*processes', Buffer.from(message))
  await foreign.publish('*processes', Buffer.from('{"process":"y","people":[["lobby",["Grace"]]],"asks":false}'))
  await one.sees({ lobby: ['Grace'] })
})
