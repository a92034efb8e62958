import * as second from '@hono/node-server'
import { Hono } from 'hono'
import { Hono as Hono48 } from 'hono-4.8'
import * as first from 'node-server-1'
import * as oldest from 'node-server-1.15'

/** Hono and `@hono/node-server`, the oldest and the newest supported versions. The types are those of the newest. */
export const versions = [
  [
    'Hono 4.8 on @hono/node-server 1.15',
    { Hono: Hono48 as unknown as typeof Hono, ...(oldest as unknown as typeof second) }
  ],
  ['Hono 4 on @hono/node-server 1', { Hono, ...(first as unknown as typeof second) }],
  ['Hono 4 on @hono/node-server 2', { Hono, ...second }]
] as const
