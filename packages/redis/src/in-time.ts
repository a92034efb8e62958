/**
 * Waits for the answer to a command, but not for ever.
 *
 * @param kind what the command is for, for the error
 */
export async function inTime(limitMs: number, kind: string, work: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    const isOver = (): void => reject(new Error(`Redis has not answered a command to ${kind} in ${limitMs} ms.`))
    timer = setTimeout(isOver, limitMs).unref()
  })
  try {
    await Promise.race([work(), limit])
  } finally {
    clearTimeout(timer)
  }
}
