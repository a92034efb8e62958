import { describeContract } from './contract.ts'
import { nest12 } from './versions.ts'

describe('NestJS 12', () => describeContract(nest12))
