import { join } from 'node:path'
import { describeSigterm } from '@oneport/test-kit'

describeSigterm('Express', join(__dirname, 'process', 'drains.mjs'))
