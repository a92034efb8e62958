import { join } from 'node:path'

/** The page's files, served as they are. */
export const publicFolder: string = join(__dirname, '..', 'public')

/** Header fields of every response, the 101 included: middleware and hooks see it like any other. */
export const securityFields: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // Covers the WebSocket too: it has the page's own origin.
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff'
}
