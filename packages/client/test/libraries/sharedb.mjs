import { ReconnectingWebSocket } from '@oneport/client'
import { Connection } from 'sharedb/lib/client/index.js'

const url = process.argv[2]

const socket = new ReconnectingWebSocket(url)
const connection = new Connection(socket)

const doc = connection.get('notes', 'first')
doc.subscribe((error) => {
  if (error) throw error
  console.log(doc.data.tick)
  doc.on('op', () => console.log(doc.data.tick))
})
