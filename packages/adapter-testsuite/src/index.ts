export type { Application, Endpoint, Fields, Page, Served, Subject } from './application.ts'
export type { Case, CasesOptions } from './cases.ts'
export { cases } from './cases.ts'
