/**
 * Reads Server-Sent Events. https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @param onEvent called with the type and the data of each event, and with `retry` and its milliseconds
 * @returns what takes the next characters in
 */
export function eventStream(onEvent: (type: string, data: string) => void): (chunk: string) => void {
  let rest = ''
  let type = ''
  let data: string[] = []
  return (chunk) => {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = lines.pop() as string
    for (const line of lines) {
      const [name, value] = line.split(/: ?(.*)/s)
      if (name === 'data') data.push(value ?? '')
      else if (name === 'event') type = value ?? ''
      else if (name === 'retry') onEvent(name, value ?? '')
      else if (line === '') {
        if (data.length > 0) onEvent(type, data.join('\n'))
        type = ''
        data = []
      }
    }
  }
}
