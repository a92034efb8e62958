import type { ServerResponse } from 'node:http'

/** An ordinary route of the servers under test. */
export interface Route {
  readonly path: string
  serve(res: ServerResponse): void
}

const oneMebibyte = Buffer.alloc(1_048_576)

/** Writes a chunk every few milliseconds until the response is closed. */
function stream(res: ServerResponse, chunks: number): void {
  let left = chunks
  const timer = setInterval(() => {
    if (left-- > 0) res.write('a chunk of the answer\n')
    else res.end()
  }, 3)
  res.once('close', () => clearInterval(timer))
}

/** Routes with slow answers. A handshake can be pipelined behind one of them, or be sent to one. */
export const routes: readonly Route[] = [
  { path: '/late-answer', serve: (res) => void setTimeout(() => res.end('late'), 10) },
  { path: '/never', serve: () => {} },
  { path: '/stream', serve: (res) => stream(res, Infinity) },
  { path: '/chunks', serve: (res) => stream(res, 4) },
  { path: '/large', serve: (res) => void res.end(oneMebibyte) }
]
