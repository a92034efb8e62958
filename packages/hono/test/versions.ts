import * as second from '@hono/node-server'
import { Hono } from 'hono'
import { Hono as Hono48 } from 'hono-4.8'
import * as first from 'node-server-1'

/** The supported versions of Hono and of `@hono/node-server`. The types are those of the newest. */
export const versions = [
  [
    'Hono 4.8 on @hono/node-server 1',
    { Hono: Hono48 as unknown as typeof Hono, ...(first as unknown as typeof second) }
  ],
  ['Hono 4 on @hono/node-server 1', { Hono, ...(first as unknown as typeof second) }],
  ['Hono 4 on @hono/node-server 2', { Hono, ...second }]
] as const
