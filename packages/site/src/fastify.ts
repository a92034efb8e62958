/** What Oneport adds to these types of Fastify, for the API reference. */
export type { FastifyInstance, FastifyReply, RouteOptions } from 'fastify'
