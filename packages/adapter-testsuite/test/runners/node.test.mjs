import test from 'node:test'
import { cases } from '@oneport/adapter-testsuite'
import { serve } from './subject.mjs'

for (const { name, run } of cases(serve)) test(name, run)
