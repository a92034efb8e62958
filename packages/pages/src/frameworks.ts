import { io } from 'socket.io-client'
import { type Behaviours, behavioursOf, everything } from './behaviours.ts'
import type { Program } from './program.ts'

/** A framework with a program that shows what `behaviours.ts` lists. */
export interface Framework {
  readonly name: string
  /** What the program shows. The tests compare it with what it does. */
  readonly behaviours: Behaviours
  /** Other versions with which an example runs, as names under which packages are installed for the tests. */
  readonly versions?: readonly Readonly<Record<string, string>>[]
  /** Its page in docs. */
  readonly page: string
  /** How TypeScript knows the path parameters of a route; undefined if they are strings of any name. */
  readonly parameters?: 'exact' | 'as declared'
  /** Logs in to a program that makes tokens itself. @returns the token */
  readonly logIn?: (program: Program) => Promise<string>
}

/** It uses parts of Node that Node 24 has removed. */
export const runsRestify11 = Number(process.versions.node.split('.')[0]) < 24

/** Frameworks without an adapter of their own whose program is an example, by its name. */
const inOneFile: Readonly<Record<string, Framework>> = {
  'feathers-express': {
    name: 'Feathers on Express',
    page: 'feathers.md',
    behaviours: everything,
    logIn: logInBySocketIo
  },
  'feathers-koa': { name: 'Feathers on Koa', page: 'feathers.md', behaviours: everything, logIn: logInByPost },
  h3: { name: 'h3 2', page: 'h3.md', behaviours: everything },
  hapi: { name: 'hapi', page: 'hapi.md', behaviours: everything },
  polka: { name: 'Polka', page: 'polka.md', behaviours: everything, versions: [{ polka: 'polka-1' }] },
  restify: {
    name: 'restify',
    page: 'restify.md',
    behaviours: everything,
    versions: runsRestify11 ? [{ restify: 'restify-11' }] : []
  },
  tinyhttp: { name: 'tinyhttp', page: 'polka.md', behaviours: everything }
}

/** Those whose program is a recipe, by its name. Each has a test in `test/recipes`. */
const inSeveralFiles: Readonly<Record<string, Framework>> = {
  adonisjs: { name: 'AdonisJS', page: 'adonisjs.md', behaviours: everything },
  next: {
    name: 'Next.js 16, with a server of its own',
    page: 'nextjs.md',
    behaviours: { ...everything, lateField: 'none' }
  },
  'h3-1': { name: 'h3 1', page: 'h3.md', behaviours: everything },
  nitro: { name: 'Nitro 3', page: 'h3.md', behaviours: everything },
  'nitro-2': { name: 'Nitro 2', page: 'h3.md', behaviours: everything }
}

/** Those with an adapter, by the names of the files in `programs`. */
export const withAdapter: Readonly<Record<string, Framework>> = {
  express: { name: 'Express', page: 'express.md', parameters: 'exact', behaviours: everything },
  fastify: { name: 'Fastify', page: 'fastify.md', parameters: 'as declared', behaviours: everything },
  hono: { name: 'Hono', page: 'hono.md', parameters: 'exact', behaviours: everything },
  koa: { name: 'Koa', page: 'koa.md', behaviours: everything },
  'nestjs-express': { name: 'NestJS on Express', page: 'nestjs.md', parameters: 'as declared', behaviours: everything },
  'nestjs-fastify': { name: 'NestJS on Fastify', page: 'nestjs.md', parameters: 'as declared', behaviours: everything }
}

/** All frameworks, by the names of their programs. */
export const frameworks: Readonly<Record<string, Framework>> = { ...withAdapter, ...inOneFile, ...inSeveralFiles }

type Start = (env?: NodeJS.ProcessEnv, packages?: Readonly<Record<string, string>>) => Promise<Program>

/** Logs in to a program of Feathers as a client without Socket.IO does. */
async function logInByPost(program: Program): Promise<string> {
  const headers = { 'Content-Type': 'application/json' }
  const response = await program.fetch('/authentication', { method: 'POST', headers, body: JSON.stringify(ada) })
  return ((await response.json()) as Session).accessToken
}

/** Logs in through the transport of Feathers, which is on the same server. */
async function logInBySocketIo(program: Program): Promise<string> {
  const socket = io(program.origin, { transports: ['websocket'] })
  try {
    return await new Promise((resolve, reject) => {
      socket.emit('create', 'authentication', ada, (error: Error | null, session: Session) => {
        if (error === null) resolve(session.accessToken)
        else reject(error)
      })
    })
  } finally {
    socket.close()
  }
}

const ada = { strategy: 'local', name: 'ada', password: 'countess' }
type Session = { readonly accessToken: string }

/** Checks each example, with every version. */
export const frameworkExamples = Object.fromEntries(
  Object.entries(inOneFile).map(([name, { behaviours, logIn, versions = [] }]) => [
    name,
    async (program: Program, another: Start) => {
      expect(await behavioursOf(program, await logIn?.(program))).toEqual(behaviours)
      for (const version of versions) expect(await behavioursOf(await another({}, version))).toEqual(behaviours)
    }
  ])
)
