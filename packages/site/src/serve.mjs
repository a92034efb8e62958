import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const types = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml'
}

/**
 * Serves the built site like its host does: paths need no `.html`, and unknown paths get the page 404.
 *
 * @param {{ base: string, folder: string }} options
 */
export function serveSite({ base, folder }) {
  const isFile = (file) => statSync(file, { throwIfNoEntry: false })?.isFile()
  const find = (pathname) => {
    const path = normalize(pathname)
    if (!path.startsWith(normalize(base))) return undefined
    const file = join(folder, path.slice(base.length))
    return [file, `${file}.html`, join(file, 'index.html')].find(isFile)
  }
  return createServer((req, res) => {
    const found = find(req.url.split('?', 1)[0])
    const file = found ?? join(folder, '404.html')
    res.writeHead(found === undefined ? 404 : 200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream'
    })
    createReadStream(file).pipe(res)
  })
}
