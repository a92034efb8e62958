import { join } from 'node:path'
import { describeSigterm } from '@oneport/adapter-testsuite'

describeSigterm('node:http', join(__dirname, 'process', 'drains.mjs'))
