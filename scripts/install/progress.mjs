/** If npm prints nothing for this long, a hint says why that may be, in milliseconds. */
const silenceMs = 15_000

const silenceHint =
  'The registry has not answered yet. Behind a proxy, press Ctrl+C and run: npm config set https-proxy http://HOST:PORT'

/** Shows the progress of an installation: in a terminal on one line that changes, elsewhere with a line for each step. */
export class Progress {
  #stream
  #isTerminal
  #beganAt = performance.now()
  #counts = { resolved: 0, imported: 0 }
  /** The line that changes. */
  #line = ''
  #clock
  #silence

  /**
   * @param {string} announcement what is installed, and how long it takes
   * @param {{ isTTY?: boolean, write(text: string): unknown }} stream
   */
  constructor(announcement, stream = process.stdout, env = process.env) {
    this.#stream = stream
    this.#isTerminal = stream.isTTY === true && env.TERM !== 'dumb'
    this.#print(announcement)
    this.#step('Getting pnpm, which installs the packages')
    this.#silence = setTimeout(() => this.#print(silenceHint), silenceMs)
  }

  /** Called for each line. A line of npm has no event. */
  notice(event) {
    clearTimeout(this.#silence)
    if (event?.name === 'pnpm:stage' && event.stage === 'importing_started') this.#step('Installing the packages')
    if (event?.name === 'pnpm:progress' && event.status in this.#counts) {
      this.#counts[event.status]++
      if (event.status === 'imported') this.#showCounts()
    }
  }

  end(isInstalled) {
    clearTimeout(this.#silence)
    clearInterval(this.#clock)
    this.#change('')
    if (isInstalled) this.#print(`Installed in ${secondsSince(this.#beganAt)} s.`)
  }

  /** In a terminal, it counts seconds, because npm prints nothing while it downloads. */
  #step(text) {
    clearInterval(this.#clock)
    if (!this.#isTerminal) return this.#print(`${text} …`)
    const beganAt = performance.now()
    const tick = () => this.#change(`${text} … ${secondsSince(beganAt)} s`)
    tick()
    this.#clock = setInterval(tick, 1_000)
  }

  #showCounts() {
    const { imported, resolved } = this.#counts
    clearInterval(this.#clock)
    this.#change(`${bar(imported / resolved)} ${imported} of ${resolved} packages`)
  }

  #change(line) {
    if (!this.#isTerminal) return
    this.#line = line
    this.#stream.write(`\r\u001b[K${line}`)
  }

  /** Prints a line that stays, above the line that changes. */
  #print(text) {
    const line = this.#line
    this.#change('')
    this.#stream.write(`${text}\n`)
    if (line !== '') this.#change(line)
  }
}

const secondsSince = (time) => Math.round((performance.now() - time) / 1_000)

function bar(share) {
  const width = 24
  const full = Math.round(share * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}
