import { join } from 'node:path'
import { describeSigterm } from '@oneport/adapter-testsuite'

describeSigterm('Fastify', join(__dirname, 'process', 'drains.mjs'))
