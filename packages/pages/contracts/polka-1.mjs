import polka from 'polka-1'
import { subjectOf } from './polka.mjs'

export const serve = subjectOf(polka)
