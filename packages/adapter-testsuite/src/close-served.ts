import type { Served } from './application.ts'

/** Ends an application, in its own way where it has one. */
export async function closeServed({ close, drain, server }: Served): Promise<void> {
  if (close !== undefined) await close()
  else await Promise.all([drain(), server.listening && new Promise((resolve) => server.close(resolve))])
}
