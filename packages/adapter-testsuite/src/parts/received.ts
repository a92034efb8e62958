import type { Readable } from 'node:stream'

/** Waits until `enough` accepts what has arrived, or nothing more can arrive. */
export type Received = (enough: (text: string) => boolean) => Promise<string>

/** Collects what a stream receives, in latin1. */
export function receive(stream: Readable): Received {
  let text = ''
  let isOver = false
  const watchers = new Set<() => void>()
  const change = () => {
    for (const look of watchers) look()
  }
  const end = () => {
    isOver = true
    change()
  }
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    change()
  })
  stream.once('end', end).once('close', end)
  return (enough) =>
    new Promise((resolve) => {
      const look = () => {
        if (!isOver && !enough(text)) return
        watchers.delete(look)
        resolve(text)
      }
      watchers.add(look)
      look()
    })
}

/** Reads until `enough` accepts what has arrived, or the stream ends. Leaves later bytes to the next call. */
export function read(stream: Readable, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (enough(text)) done()
    }
    const done = (): void => {
      stream.off('data', take).off('end', done).off('close', done)
      resolve(text)
    }
    stream.on('data', take).once('end', done).once('close', done)
  })
}
