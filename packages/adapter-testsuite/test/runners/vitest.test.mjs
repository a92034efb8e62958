import { cases } from '@oneport/adapter-testsuite'
import { test } from 'vitest'
import { serve } from './subject.mjs'

for (const { name, run } of cases(serve)) test(name, run)
