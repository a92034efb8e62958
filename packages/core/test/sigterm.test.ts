import { join } from 'node:path'
import { describeSigterm } from '@oneport/test-kit'

describeSigterm('node:http', join(__dirname, 'process', 'drains.mjs'))
