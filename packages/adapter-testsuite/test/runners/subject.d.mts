import type { Subject } from '@oneport/adapter-testsuite'

export const serve: Subject
