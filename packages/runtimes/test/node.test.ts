import { describeRuntime } from './describe-runtime.ts'
import { installed } from './installed.ts'

for (const runtime of installed) if (runtime.name.startsWith('Node ')) describeRuntime(runtime)
