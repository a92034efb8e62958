import { join } from 'node:path'
import { describeSigterm } from '@oneport/test-kit'

describeSigterm('Hono', join(__dirname, 'process', 'drains.mjs'))
