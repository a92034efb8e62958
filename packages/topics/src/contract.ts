/** The contract for backplanes that keep messages, for tests of your own. */
export type { BackplaneCase } from './contract/cases.ts'
export { backplaneContract } from './contract/cases.ts'
export type { BackplaneStore } from './contract/fixture.ts'
