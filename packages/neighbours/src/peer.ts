// PeerJS's server on our server: `node peer.js first|later claims|none`.
import http from 'node:http'
import express from 'express'
import { ExpressPeerServer } from 'peer'
import { Program } from './program.ts'

async function main(): Promise<void> {
  const program = new Program()
  const server = http.createServer(program.listener)
  program.begin(server)
  const app = express()
  // It starts when it is mounted.
  app.use('/', ExpressPeerServer(server, { path: '/' }) as never)
  program.others = app
  await program.serve(server)
}

void main()
