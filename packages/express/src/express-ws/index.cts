import { expressWs } from './express-ws.ts'

export = expressWs
