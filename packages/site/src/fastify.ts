/** The types of Fastify that Oneport adds to, for the API reference. */
export type { FastifyInstance, FastifyReply, RouteOptions } from 'fastify'
