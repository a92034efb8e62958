import type { Readable } from 'node:stream'

/** Waits until `enough` says so of all that has come, or there will be no more. */
export type Received = (enough: (text: string) => boolean) => Promise<string>

/** Collects what comes, in latin1. */
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

/** Reads until `enough` says so of all that has come, or the other side ends it; what comes later is left for the next. */
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
