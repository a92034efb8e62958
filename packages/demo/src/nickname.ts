/** The cookie that carries the nickname from the login over HTTP to the handshake. */
export const nicknameCookie = 'oneport_nickname'

/** How long a browser keeps it, in seconds. */
export const nicknameMaxAge: number = 30 * 24 * 60 * 60

/** The message for a refused nickname. */
export const nicknameRule = 'A nickname has 1 to 24 visible characters.'

/**
 * A nickname as it is shown, or undefined if it is none. Anyone may take any nickname: it is not an account.
 *
 * Control and format characters are not allowed, because they hide a name or reorder the text around it.
 */
export function cleanNickname(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const nickname = value.normalize('NFC').trim().replaceAll(/\s+/g, ' ')
  const length = [...nickname].length
  return length >= 1 && length <= 24 && !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(nickname) ? nickname : undefined
}
