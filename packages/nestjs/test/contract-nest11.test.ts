import { describeContract } from './contract.ts'
import { nest11 } from './versions.ts'

describe('NestJS 11', () => describeContract(nest11))
