/** Calls a function a number of times, with `atOnce` calls running at once. */
export async function crowd(times: number, atOnce: number, act: () => Promise<void>): Promise<void> {
  let left = times
  const act1 = async (): Promise<void> => {
    while (left-- > 0) await act()
  }
  await Promise.all(Array.from({ length: Math.min(times, atOnce) }, act1))
}
