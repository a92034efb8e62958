import { fastifyWebsocket } from './plugin.ts'

export = fastifyWebsocket
