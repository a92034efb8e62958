import cluster from 'node:cluster'
import { clusterBackplane, serveCluster } from '../../src/cluster.ts'
import { backplaneContract } from '../../src/contract.ts'

/** Runs the contract in a worker. Prints the failure of each case, or nothing for one that passes, as lines of JSON. */
async function runAll(): Promise<void> {
  let count = 0
  const cases = backplaneContract(() => {
    const name = String(++count)
    return { node: () => clusterBackplane({ name }), stop: () => {} }
  })
  for (const { name, run } of cases) {
    const failure = await run().then(
      () => undefined,
      (error: Error) => String(error.stack)
    )
    process.stdout.write(`${JSON.stringify({ name, failure })}\n`)
  }
  process.disconnect()
}

if (cluster.isPrimary) {
  serveCluster()
  cluster.fork()
} else {
  void runAll()
}
