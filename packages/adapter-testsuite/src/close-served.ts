import type { Served } from './application.ts'

/** Shuts an application down with its own `close()`, if it has one. */
export async function closeServed({ close, drain, server }: Served): Promise<void> {
  if (close !== undefined) await close()
  else await Promise.all([drain(), server.listening && new Promise((resolve) => server.close(resolve))])
}
