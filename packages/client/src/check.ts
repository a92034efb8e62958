/**
 * Checks the times and counts among some options. A delay that is `NaN`, for example, would be none at all.
 *
 * @throws TypeError unless each is missing or a number from 0
 */
export function checkNumbers(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const isNumber = /Ms$|^(max(Retries|Pending)|messages|bytes)$/.test(name)
    if (isNumber && value !== undefined && !(typeof value === 'number' && value >= 0)) {
      throw unexpected(`${name}: expected a number from 0`, value)
    }
  }
}

/** The error for a wrong argument. */
export const unexpected = (expected: string, got: unknown): TypeError =>
  new TypeError(`${expected}; got ${Object(got) === got ? typeof got : String(got)}`)
