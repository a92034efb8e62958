/**
 * The status with which the server answers an ordinary request for the URL of a WebSocket, because a page cannot see why
 * a handshake was refused; undefined if it says nothing.
 *
 * The token is sent only where that needs no preflight. Without it, a 401 would say nothing.
 */
export async function diagnose(
  request: typeof fetch,
  socketUrl: string,
  token: string | undefined,
  signal: AbortSignal
): Promise<number | undefined> {
  try {
    const url = new URL(socketUrl.replace(/^ws/, 'http'))
    if (token && globalThis.location && location.origin !== url.origin) return undefined
    const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {}
    return (await request(url, { cache: 'no-store', credentials: 'include', headers, signal })).status
  } catch {
    return undefined
  }
}
