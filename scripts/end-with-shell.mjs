/**
 * Ends this process with SIGTERM once the shell is gone in which npm has started it. npm sends its signals to that shell,
 * which dies of them and tells nobody. `exec` would have this process take the shell's place, but cmd.exe has no such
 * command; on Windows there are no signals either.
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
