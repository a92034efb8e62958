/**
 * Makes `bufferutil` look as if it were not installed. `WS_NO_BUFFER_UTIL` does this for `ws` 8, but version 7, which
 * express-ws depends on, has no such option and uses what it finds.
 */
export function hideBufferUtil(): void {
  process.env.WS_NO_BUFFER_UTIL = '1'
  Object.defineProperty(require.cache, require.resolve('bufferutil'), {
    get: () => {
      throw new Error('bufferutil is hidden')
    }
  })
}

/** Whether `bufferutil` has compiled code for this machine. */
export function canUseBufferUtil(): boolean {
  require('bufferutil')
  return hasBufferUtil()
}

/** Whether the compiled code of `bufferutil` is loaded. */
export const hasBufferUtil = (): boolean => Object.keys(require.cache).some((path) => /bufferutil.*\.node$/.test(path))
