import { parseArgs } from 'node:util'
import { handshakers } from './contenders/index.ts'
import { suites } from './suites/index.ts'
import type { Suite } from './suites/suite.ts'

export interface Endurance {
  readonly seconds: number
  /** Undefined for as many as it takes, or as are possible. */
  readonly connections: number | undefined
}

export interface Rolling {
  readonly clients: number
}

/** The arguments on the command line. */
export interface Arguments {
  readonly help: boolean
  readonly quick: boolean
  readonly suites: readonly Suite[]
  /** For the suite `endurance`; undefined unless it is named. */
  readonly endurance: Endurance | undefined
  /** For the suite `rolling`; undefined unless it is named. */
  readonly rolling: Rolling | undefined
  /** Names of contenders; undefined for all. */
  readonly contenders: ReadonlySet<string> | undefined
  readonly rounds: number
  /** Rounds of suites that start new servers for each round, which takes most of their time. */
  readonly freshRounds: number
  readonly connections: number
  /** Whether the results are kept, and the page is written. */
  readonly write: boolean
  readonly profiles: string | undefined
}

/** Suites of their own kind. They take long, so they have to be named. */
const endurance = 'endurance'
const rolling = 'rolling'

export const usage = `Compares Oneport with other libraries, and prints the ratios.

  npm run bench                                             everything, up to an hour; writes docs/benchmarks.md
  npm run bench -- --quick                                  everything, roughly, in under 3 minutes
  npm run bench -- --suite echo --contender ws,core         some suites, some contenders
  npm run bench -- --rounds 21                              more rounds (9, or 3 with new servers; fewer with --quick)
  npm run bench -- --connections 2000                       fewer idle connections (10000 by default)
  npm run bench -- --suite echo --write                     some suites, in place of their results on the page
  npm run bench -- --render                                 writes the page from the results it has, without measuring
  npm run bench -- --suite handshake-close --profile FOLDER CPU profiles of the servers
  npm run bench -- --suite endurance                        ten minutes with many connections, only if named
  npm run bench -- --suite endurance --seconds 60           the same in a minute
  npm run bench -- --suite rolling                          four rolling deploys under 1000 clients, only if named
  npm run bench -- --help                                   prints this help

Suites:     ${suites.map(({ name }) => name).join(', ')}, ${endurance}, ${rolling}
            (the start of a name selects all suites that start with it)
Contenders: ${handshakers.map(({ name }) => name).join(', ')}
`

const options = {
  help: { type: 'boolean' },
  quick: { type: 'boolean' },
  suite: { type: 'string', multiple: true },
  contender: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  connections: { type: 'string' },
  seconds: { type: 'string' },
  write: { type: 'boolean' },
  render: { type: 'boolean' },
  profile: { type: 'string' }
} as const

/**
 * Reads the arguments after `node main.js`.
 * @throws Error with a one-sentence message for the person who typed them
 */
export function readArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({ args: [...argv], options })
  const { help = false, quick = false, render = false, profile: profiles } = values
  const chosen = values.suite && readNames('suite', values.suite)
  const names = values.contender && readNames('contender', values.contender)
  for (const name of names ?? [])
    known(
      'contender',
      name,
      handshakers.some((contender) => contender.name === name)
    )
  for (const name of chosen ?? [])
    known('suite', name, [endurance, rolling].includes(name) || suites.some((suite) => begins(suite, name)))
  const isWhole = !quick && chosen === undefined && names === undefined && profiles === undefined
  return {
    help,
    quick,
    suites: render ? [] : suites.filter((suite) => chosen?.some((name) => begins(suite, name)) ?? true),
    endurance: readEndurance(chosen, values),
    rolling: chosen?.includes(rolling)
      ? { clients: readCount('connections', values.connections ?? '1000') }
      : undefined,
    contenders: names && new Set(names),
    rounds: readCount('rounds', values.rounds ?? (quick ? '3' : '9')),
    freshRounds: readCount('rounds', values.rounds ?? (quick ? '1' : '3')),
    connections: readCount('connections', values.connections ?? (quick ? '2000' : '10000')),
    write: render || (values.write ?? isWhole),
    profiles
  }
}

const readEndurance = (
  chosen: readonly string[] | undefined,
  { seconds, connections }: { readonly seconds?: string; readonly connections?: string }
): Endurance | undefined =>
  chosen?.includes(endurance)
    ? {
        seconds: readCount('seconds', seconds ?? '600'),
        connections: connections === undefined ? undefined : readCount('connections', connections)
      }
    : undefined

const readNames = (option: string, values: readonly string[]): string[] => {
  const names = values.flatMap((value) => value.split(',')).filter((name) => name !== '')
  if (names.length === 0) throw new Error(`--${option} expects one or more names.`)
  return names
}

const begins = ({ name }: Suite, start: string): boolean => name === start || name.startsWith(`${start}-`)

function known(option: string, name: string, isKnown: boolean): void {
  if (!isKnown) throw new Error(`There is no ${option} '${name}'; 'npm run bench -- --help' lists them.`)
}

function readCount(option: string, value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value)
  throw new Error(`--${option} expects a number from 1 to 999999; got '${value}'.`)
}
