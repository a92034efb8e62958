import http, { type IncomingMessage } from 'node:http'
import { type Application, cases, type Served, type Subject } from '../src/index.ts'
import { serve } from './runners/subject.mjs'

/** What an adapter does wrong, with the application that it gets or with the result that it returns. */
interface Defect {
  readonly given?: (application: Application) => Partial<Application>
  readonly returned?: (served: Served) => Partial<Served>
}

const defective =
  ({ given, returned }: Defect): Subject =>
  async (application) => {
    const served = await serve({ ...application, ...given?.(application) })
    return { ...served, ...returned?.(served) }
  }

/** The HTTP/1.1 cases that a subject fails, without the way in their names. */
async function failedBy(subject: Subject, pattern: RegExp): Promise<string[]> {
  const failed: string[] = []
  for (const { name, run } of cases(subject)) {
    const [way, what = ''] = name.split(': ', 2)
    if (way !== 'HTTP/1.1' || !pattern.test(what)) continue
    await run().catch(() => failed.push(what))
  }
  return failed
}

const defects: [what: string, defect: Defect, found: string[]][] = [
  [
    'loses the fields that middleware sets',
    { given: () => ({ fields: {} }) },
    [
      'accepts with the fields that middleware set',
      "refuses a handshake that middleware refuses, with the framework's own answer",
      'serves ordinary requests as before'
    ]
  ],
  [
    'loses the fields that are set as the response is sent',
    { given: () => ({ lateFields: {} }) },
    [
      'accepts with the fields that are set after the route, as the response is sent',
      "refuses a handshake that middleware refuses, with the framework's own answer",
      'serves ordinary requests as before'
    ]
  ],
  [
    'answers with responses of another class',
    { given: () => ({ createServer: (listener) => http.createServer(listener) }) },
    ["gives a handshake a response of the server's own class"]
  ],
  [
    "calls middleware with a request that is not Node's own",
    { given: ({ before }) => ({ before: (req, res) => before(Object.create(req) as IncomingMessage, res) }) },
    ['lets a monitor that wraps ws read the request of the application']
  ],
  [
    'reports a fault as another error',
    {
      given: ({ options }) => ({
        options: { ...options, onError: (_error, context) => options.onError?.(new Error('broken'), context) }
      })
    },
    ['handler that throws', 'handler that rejects', 'listener that throws', 'listener that rejects'].map(
      (what) => `contains a ${what} a value that cannot be printed`
    )
  ],
  [
    'reports a refusal twice',
    {
      given: ({ options }) => ({
        options: {
          ...options,
          onRefused: (...args) => {
            options.onRefused?.(...args)
            options.onRefused?.(...args)
          }
        }
      })
    },
    [
      'refuses a handshake that is still waiting when draining begins',
      'on the wire refuses a missing key',
      'on the wire refuses a short key',
      'on the wire refuses two keys'
    ]
  ],
  [
    'does not drain',
    { returned: ({ server }) => ({ drain: async () => {}, close: async () => void server.close() }) },
    ['refuses a handshake that is still waiting when draining begins']
  ]
]

const looked = new RegExp(`^(?:${[...new Set(defects.flatMap(([, , found]) => found))].join('|')})`)

test('finds no fault with a correct adapter', async () => {
  expect(await failedBy(serve, looked)).toEqual([])
})

test.each(defects)('finds an adapter that %s', async (_what, defect, found) => {
  const failed = await failedBy(defective(defect), looked)
  expect(failed.map((name) => name.split(': ')[0]).sort()).toEqual([...found].sort())
})

test('fails with the error of an application that does not start', async () => {
  const [first] = cases(() => Promise.reject(new Error('port taken')))
  await expect(first?.run()).rejects.toThrow('port taken')
})
