import { contenders } from '../contenders/index.ts'
import { measureEcho } from './echo.ts'
import { effortFigures } from './effort.ts'
import { type Entry, plainEntries, type Suite } from './suite.ts'

/** The contenders that use the application's own `ws`, starting with bare `ws` without it. */
const users = ['ws', 'core', 'express', 'fastify', 'fastify-websocket']

const entries: Entry[] = [
  ...plainEntries(contenders.filter(({ name }) => name === 'ws')),
  ...plainEntries(contenders.filter(({ name }) => users.includes(name))).map((entry) => ({
    ...entry,
    name: `${entry.name}+bufferutil`,
    title: `${entry.title}, with bufferutil`,
    bufferUtil: true
  }))
]

function withBufferUtil(size: 1024 | 65536, title: string, messages: number): Suite {
  return {
    name: `bufferutil-${size}`,
    title: `With bufferutil: echo of ${title}, 8 in flight`,
    text: 'The same echo with the optional package `bufferutil`, which unmasks messages in compiled code.',
    entries,
    figures: effortFigures('message'),
    chart: `Server CPU per message of ${title}, bare ws without bufferutil = 1`,
    fresh: false,
    measure: (stage) => measureEcho(stage, { size, inFlight: 8, messages })
  }
}

export const bufferUtilSuites: readonly Suite[] = [
  withBufferUtil(1024, '1 KiB', 48_000),
  withBufferUtil(65536, '64 KiB', 2_048)
]
