import { askForBroadcasts, type Broadcasts } from './broadcasts.ts'
import { type Churn, churn } from './churn.ts'
import { type DialectName, dialects } from './dialect.ts'
import { closeAfterEchoes, type Echoes, openForEchoes, sendEchoes } from './echoes.ts'
import { type Aftermath, type Flood, flood, readFlood } from './flood.ts'
import { type Gets, sendGets } from './gets.ts'
import { beRefused, type Handshakes, openAndClose } from './handshakes.ts'
import { beClosed, drop, type Ends, openAndStay } from './held.ts'
import {
  comeBack,
  type Gathering,
  gather,
  openSubscribers,
  publishOn,
  type Return,
  type Subscribers
} from './resume/gathering.ts'

/** A job for the generator. */
export type Job = { readonly port: number; readonly dialect: DialectName } & (
  | ({ readonly kind: 'open and close' | 'open and stay' | 'be refused' } & Handshakes)
  | ({ readonly kind: 'open for echoes' | 'send echoes' } & Echoes)
  | ({ readonly kind: 'ask for broadcasts' } & Broadcasts)
  | ({ readonly kind: 'send gets' } & Gets)
  | ({ readonly kind: 'flood' | 'read the flood' } & Flood)
  | ({ readonly kind: 'churn' } & Churn)
  | ({ readonly kind: 'open subscribers' } & Subscribers)
  | ({ readonly kind: 'gather' } & Gathering)
  | { readonly kind: 'publish on'; readonly perSecond: number }
  | { readonly kind: 'come back'; readonly patienceMs: number }
  | { readonly kind: 'be closed'; readonly sliceMs: number }
  | { readonly kind: 'close after echoes' | 'drop' }
)

/** What a job has found out, if anything. */
export type Outcome = Partial<Aftermath & Ends & Return>

export async function run(job: Job): Promise<Outcome> {
  const { port } = job
  const dialect = dialects[job.dialect]
  switch (job.kind) {
    case 'open and close':
      await openAndClose(port, dialect, job)
      break
    case 'open and stay':
      await openAndStay(port, dialect, job)
      break
    case 'be refused':
      await beRefused(port, dialect, job)
      break
    case 'open for echoes':
      await openForEchoes(port, dialect, job)
      break
    case 'send echoes':
      await sendEchoes(dialect, job)
      break
    case 'close after echoes':
      await closeAfterEchoes()
      break
    case 'ask for broadcasts':
      await askForBroadcasts(dialect, job)
      break
    case 'send gets':
      await sendGets(port, job)
      break
    case 'flood':
      await flood(port, dialect, job)
      break
    case 'read the flood':
      return readFlood(job)
    case 'churn':
      await churn(port, dialect, job)
      break
    case 'open subscribers':
      await openSubscribers(port, job.dialect, job)
      break
    case 'gather':
      await gather(port, job.dialect, job)
      break
    case 'publish on':
      publishOn(job)
      break
    case 'come back':
      return comeBack(job)
    case 'be closed':
      return beClosed(job)
    case 'drop':
      await drop()
      break
  }
  return {}
}
