import http, { type IncomingMessage } from 'node:http'
import { type Application, cases, type Served, type Subject } from '../src/index.ts'
import { serve } from './runners/subject.mjs'

/** What an adapter does wrong: to the application that it is given, or to what it returns. */
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

/** The cases on HTTP/1.1 that a subject fails, without the way in front of their names. */
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
      'refuses what middleware refuses, with the answer of the framework, before it is accepted',
      'serves HTTP as before beside it'
    ]
  ],
  [
    'loses the fields that are set as the response is sent',
    { given: () => ({ lateFields: {} }) },
    [
      'accepts with the fields that are set after the route, as the response is sent',
      'refuses what middleware refuses, with the answer of the framework, before it is accepted',
      'serves HTTP as before beside it'
    ]
  ],
  [
    'answers with responses of a class of its own',
    { given: () => ({ createServer: (listener) => http.createServer(listener) }) },
    ['gives a handshake a response of the class that the server has for requests']
  ],
  [
    'calls middleware with a request that is not that of Node',
    { given: ({ before }) => ({ before: (req, res) => before(Object.create(req) as IncomingMessage, res) }) },
    ['lets a monitor that wraps ws read the request of the application']
  ],
  [
    'tells of a fault as an error of its own',
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
    'tells of a refusal twice',
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

test('finds nothing in an adapter that is right', async () => {
  expect(await failedBy(serve, looked)).toEqual([])
})

test.each(defects)('finds an adapter that %s', async (_what, defect, found) => {
  const failed = await failedBy(defective(defect), looked)
  expect(failed.map((name) => name.split(': ')[0]).sort()).toEqual([...found].sort())
})

test('a case of an application that does not start fails with what it says', async () => {
  const [first] = cases(() => Promise.reject(new Error('port taken')))
  await expect(first?.run()).rejects.toThrow('port taken')
})
