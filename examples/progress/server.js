import { fileURLToPath } from 'node:url'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import express from 'express'
import { follow, jobOf, startJob } from './jobs.js'

const port = Number(process.env.PORT ?? 3000)

const app = express()
app.use(wsUpgrade({ maxPayloadBytes: 1_024 }))
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))
app.use(express.json())

app.post('/jobs', (req, res) => {
  const below = req.body?.below
  if (!Number.isInteger(below) || below < 10 || below > 20_000_000) {
    return res.status(400).json({ message: 'Give a whole number from 10 to 20 000 000.' })
  }
  const id = startJob(below)
  if (id === undefined) return res.status(503).set('Retry-After', '10').json({ message: 'Too many jobs are running.' })
  res.status(202).location(`/jobs/${id}`).json({ id })
})

const requireJob = (req, res, next) => {
  if (jobOf(req.params.id) !== undefined) next()
  else res.status(404).json({ message: 'There is no such job.' })
}

app.get('/jobs/:id', requireJob, (req, res) => res.json(jobOf(req.params.id)))
app.get('/jobs/:id/progress', requireJob, (req, res) =>
  acceptWebSocket(req, res, (socket) => follow(socket, req.params.id))
)

app.listen(port, () => console.log(`Open http://localhost:${port}/`))
