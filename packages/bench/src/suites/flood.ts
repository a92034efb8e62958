import { contenders } from '../contenders/index.ts'
import { plainEntries, type Suite } from './suite.ts'

const clients = 2
/** Of each client. The system keeps more than a million short echoes for a client before the server has to. */
const messages = 2_000_000

export const flood: Suite = {
  name: 'flood',
  title: 'Flood of unread messages',
  text: `${clients} clients send ${messages.toLocaleString('en')} one-byte text messages each, as fast as the server takes them, and read nothing meanwhile. The system keeps more than half of the echoes, and the server has to keep the others. The table has the largest growth of the server’s memory, its CPU for each message sent, and the worst event-loop delay; then what the clients found when they read at last. Most contenders, including bare ws, keep everything for as long as there is memory: the application would have to check \`bufferedAmount\`. Oneport closes a client with 1013 when 16 MiB wait for it (see [Slow clients](limits.md#slow-clients)), and drops what it sends after that. That takes less CPU than an echo.`,
  entries: plainEntries(contenders),
  figures: [
    { key: 'memory', title: 'RSS grows by', unit: 'MB', digits: 0, compared: true },
    { key: 'cpu', title: 'Server CPU per message', unit: 'µs', digits: 2, compared: true },
    { key: 'delay', title: 'Worst loop delay', unit: 'ms', digits: 0, compared: false },
    { key: 'echoes', title: 'Echoes', unit: '', digits: 0, compared: false },
    { key: 'closed', title: 'Clients closed', unit: '', digits: 0, compared: false }
  ],
  chart: 'Growth of memory in a flood of unread messages, bare ws = 1',
  fresh: true,
  measure: async ({ server, generate, scaled }) => {
    // Fewer messages would stay in the buffers of the system.
    const load = { clients: scaled(clients), messages }
    await server({ ask: 'begin', watch: 'intake' })
    await generate({ kind: 'flood', ...load })
    await server({ ask: 'quiet' })
    const { cpuMs = 0, worstDelayMs = 0, rssGrownBytes = 0 } = await server({ ask: 'end' })
    const { echoes = 0, closed = 0 } = await generate({ kind: 'read the flood', ...load })
    return {
      memory: rssGrownBytes / 1_000_000,
      cpu: (cpuMs * 1_000) / load.clients / messages,
      delay: worstDelayMs,
      echoes,
      closed
    }
  }
}
