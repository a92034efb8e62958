import type { Server } from 'node:net'
import { start as startTopics } from './broadcast-topics.ts'
import type { Settings } from './endpoint.ts'

/** The same with a history, with its default limits. */
export const start = (settings: Settings): Promise<Server> => startTopics(settings, {})
