// The long job, in a thread of its own: how many primes there are below a number.
import { parentPort, workerData } from 'node:worker_threads'

const { below } = workerData

function isPrime(number) {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}

let primes = 0
let told = 0
for (let number = 2; number < below; number++) {
  if (isPrime(number)) primes++
  const percent = Math.floor((100 * number) / below)
  if (percent === told) continue
  told = percent
  parentPort.postMessage({ state: 'running', percent })
}
parentPort.postMessage({ state: 'done', percent: 100, result: primes })
