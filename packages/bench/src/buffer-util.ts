/**
 * Makes `bufferutil` look as if it were not installed. `WS_NO_BUFFER_UTIL` does it for `ws` 8; version 7, which
 * express-ws brings, has no such switch and takes what it finds.
 */
export function hideBufferUtil(): void {
  process.env.WS_NO_BUFFER_UTIL = '1'
  Object.defineProperty(require.cache, require.resolve('bufferutil'), {
    get: () => {
      throw new Error('bufferutil is hidden')
    }
  })
}

/** Whether there is compiled code of `bufferutil` for this machine. */
export function canUseBufferUtil(): boolean {
  require('bufferutil')
  return hasBufferUtil()
}

/** Whether the compiled code of `bufferutil` is loaded. */
export const hasBufferUtil = (): boolean => Object.keys(require.cache).some((path) => /bufferutil.*\.node$/.test(path))
