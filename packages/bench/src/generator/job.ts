import { askForBroadcasts, type Broadcasts } from './broadcasts.ts'
import { type DialectName, dialects } from './dialect.ts'
import { closeAfterEchoes, type Echoes, openForEchoes, sendEchoes } from './echoes.ts'
import { type Gets, sendGets } from './gets.ts'
import { beRefused, type Handshakes, openAndClose } from './handshakes.ts'
import { drop, openAndStay } from './held.ts'

/** A job for the generator. */
export type Job = { readonly port: number; readonly dialect: DialectName } & (
  | ({ readonly kind: 'open and close' | 'open and stay' | 'be refused' } & Handshakes)
  | ({ readonly kind: 'open for echoes' | 'send echoes' } & Echoes)
  | ({ readonly kind: 'ask for broadcasts' } & Broadcasts)
  | ({ readonly kind: 'send gets' } & Gets)
  | { readonly kind: 'close after echoes' | 'drop' }
)

export async function run(job: Job): Promise<void> {
  const { port } = job
  const dialect = dialects[job.dialect]
  switch (job.kind) {
    case 'open and close':
      return openAndClose(port, dialect, job)
    case 'open and stay':
      return openAndStay(port, dialect, job)
    case 'be refused':
      return beRefused(port, dialect, job)
    case 'open for echoes':
      return openForEchoes(port, dialect, job)
    case 'send echoes':
      return sendEchoes(dialect, job)
    case 'close after echoes':
      return closeAfterEchoes()
    case 'ask for broadcasts':
      return askForBroadcasts(dialect, job)
    case 'send gets':
      return sendGets(port, job)
    case 'drop':
      return drop()
  }
}
