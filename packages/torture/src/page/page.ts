import { connectTopics } from '@oneport/client'
import { type Command, Library, type News } from '../client/library.ts'
import { misreport } from './misreport.ts'
import type { Start, Told } from './told.ts'

// What is in a page, and types of Node.js do not know.
declare const tell: (told: string) => void
declare const sessionStorage: { getItem(name: string): string | null; setItem(name: string, value: string): void }
declare const addEventListener: (type: 'pagehide', listener: () => void) => void

/** How much a page remembers of what it has told, in characters. Storage has room for five million. */
const mostKept = 2_000_000

const key = 'last words'
const kept: string[] = []
let keptLength = 0
let number = 0
let library: Library | undefined

function report(news: News | 'bye'): void {
  const told = JSON.stringify({ number: ++number, news } satisfies Told)
  keptLength += told.length
  kept.push(told)
  while (keptLength > mostKept) keptLength -= kept.shift()?.length ?? 0
  tell(told)
}

/** What the page before this one has told at last. Some of it nobody has heard, if it was left for another process. */
const lastWords = (): string => sessionStorage.getItem(key) ?? '[]'

/** Called by the torture when the page has loaded. */
function start({ url, options, commands, fault }: Start): void {
  library = new Library(connectTopics(url, options), fault === undefined ? report : misreport(report, fault))
  for (const command of commands) library.obey(command)
}

// Before the library does something about it.
addEventListener('pagehide', () => {
  if (library === undefined) return
  report('bye')
  sessionStorage.setItem(key, `[${kept.join()}]`)
})
Object.assign(globalThis, { lastWords, start, obey: (command: Command): void => library?.obey(command) })
