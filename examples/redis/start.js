// Two processes on one port. They share nothing but Redis, as two machines behind a load balancer would.
import cluster from 'node:cluster'

const processes = 2

if (cluster.isPrimary) {
  for (let count = 0; count < processes; count++) cluster.fork()
  cluster.once('listening', (_worker, { port }) => console.log(`Open http://localhost:${port}/ in two tabs.`))
} else {
  await import('./server.js')
}
