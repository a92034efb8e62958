import { join } from 'node:path'

/** The page's files, served as they are. */
export const publicFolder: string = join(__dirname, '..', 'public')

/** Header fields of every response, including the 101, which passes through middleware and hooks like any other. */
export const securityFields: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // Includes the WebSocket, which has the same origin as the page.
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff'
}
