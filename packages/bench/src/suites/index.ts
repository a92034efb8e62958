import { broadcasts } from './broadcast.ts'
import { bufferUtilSuites } from './buffer-util.ts'
import { echoes } from './echo.ts'
import { flood } from './flood.ts'
import { garbageSuites } from './garbage.ts'
import { handshakeClose, handshakeOnly, refusal } from './handshake.ts'
import { heartbeat } from './heartbeat.ts'
import { httpTax } from './http-tax.ts'
import { memory } from './memory.ts'
import { pauses } from './pauses.ts'
import { reconnect } from './reconnect.ts'
import { resumes } from './resume.ts'
import type { Suite } from './suite.ts'

/** In the order of the page. */
export const suites: readonly Suite[] = [
  handshakeClose,
  handshakeOnly,
  refusal,
  ...garbageSuites,
  ...echoes,
  ...bufferUtilSuites,
  memory,
  pauses,
  httpTax,
  heartbeat,
  reconnect,
  flood,
  ...broadcasts,
  ...resumes
]
