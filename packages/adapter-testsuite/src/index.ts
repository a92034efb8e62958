export { type ContractRoute, fields } from './contract/application.ts'
export type { Contract, RunningAdapter } from './contract/subject.ts'
export { describeAdapter } from './contract.ts'
