export { type BackplaneCase, type BackplaneStore, backplaneContract } from './contract.ts'
