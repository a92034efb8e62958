import { join } from 'node:path'
import { describeSigterm } from '@oneport/test-kit'

describeSigterm('Fastify', join(__dirname, 'process', 'drains.mjs'))
