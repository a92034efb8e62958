import { isPrintable } from '@oneport/core/adapter'

/** Status, header fields and message of the answer to what was thrown, for frameworks that leave this to the application. */
export function answerTo(thrown) {
  const { status = 500, headers = {}, message } = Object(isPrintable(thrown) ? thrown : undefined)
  return { status, headers, message: status < 500 ? message : 'broken' }
}

/** Sets header fields that may have several values. */
export function setFields(res, fields) {
  for (const [name, value] of Object.entries(fields)) res.setHeader(name, value)
}
