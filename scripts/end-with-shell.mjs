/**
 * Ends this process with SIGTERM once the shell in which npm started it is gone. npm sends signals to that shell only, and it
 * dies without passing them on. `exec` would avoid the shell, but cmd.exe does not have it. On Windows there are no such
 * signals.
 */
export function endWithShell() {
  if (process.env.npm_lifecycle_event === undefined) return
  const shell = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 200)
  watch.unref()
}
