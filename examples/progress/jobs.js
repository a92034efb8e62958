import { randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { createTopics } from '@oneport/topics'

const mostAtOnce = 4
const keptForMs = 10 * 60_000

/** What is known of each job, by its id. */
const jobs = new Map()
let running = 0

/** Each job is a topic. A client that is behind gets the newest state, not all that it missed. */
const progress = createTopics({ whenSlow: 'latest' })

/** Starts a job. Returns its id, which nobody can guess; undefined where too many run. */
export function startJob(below) {
  if (running === mostAtOnce) return undefined
  running++
  const id = randomUUID()
  jobs.set(id, { state: 'running', percent: 0 })

  const worker = new Worker(new URL('count-primes.js', import.meta.url), { workerData: { below } })
  worker.on('message', (job) => tell(id, job))
  worker.on('error', (error) => tell(id, { state: 'failed', message: error.message }))
  worker.on('exit', () => {
    running--
    for (const socket of progress.subscribers(id)) socket.close(1000)
    setTimeout(() => jobs.delete(id), keptForMs).unref()
  })
  return id
}

export const jobOf = (id) => jobs.get(id)

/** Sends a client what is known now, and everything from now on. */
export function follow(socket, id) {
  const job = jobs.get(id)
  socket.send(JSON.stringify(job))
  if (job.state === 'running') progress.subscribe(socket, id)
  else socket.close(1000)
}

function tell(id, job) {
  jobs.set(id, job)
  progress.publish(id, JSON.stringify(job))
}
