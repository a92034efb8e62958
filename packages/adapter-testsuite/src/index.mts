export {
  type Application,
  type Case,
  type CasesOptions,
  cases,
  type Endpoint,
  type Fields,
  type Page,
  type Served,
  type Subject
} from './index.ts'
