import { join } from 'node:path'
import { describeSigterm } from '@oneport/adapter-testsuite'

describeSigterm('Express', join(__dirname, 'process', 'drains.mjs'))
