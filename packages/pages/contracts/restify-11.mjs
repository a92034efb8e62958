import restify from 'restify-11'
import { subjectOf } from './restify.mjs'

export { differences } from './restify.mjs'

export const serve = subjectOf(restify)
