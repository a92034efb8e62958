import type { TopicsOptions } from '@oneport/client'
import type { Tab } from '@oneport/test-kit'

/**
 * The page follows the news, and a topic of its own on which it publishes all the time. It writes down whatever is not the
 * next number. The query has the options of `connectTopics()`.
 */
export const html = `<!doctype html><link rel="icon" href="data:,"><script src="/client.js"></script>
<script>
  const faults = []
  const transports = []
  let requests = 0
  const { fetch } = window
  window.fetch = (...given) => { requests++; return fetch(...given) }
  const last = {}
  let waiting = []
  const changed = () => { waiting = waiting.filter(([isSo, resolve]) => !isSo() || resolve()) }
  const until = (isSo) => new Promise((resolve) => { waiting.push([isSo, resolve]); changed() })
  const topics = oneport.connectTopics('/topics', JSON.parse(decodeURIComponent(location.search.slice(1))))
  topics.addEventListener('statechange', () => { transports.push(topics.transport ?? topics.state); changed() })
  const follow = (topic) => {
    last[topic] = 0
    topics.subscribe(topic, (data) => {
      if (Number(data) !== ++last[topic]) faults.push(topic + ': ' + data + ' in place of ' + last[topic])
      changed()
    }, { since: 'all', onGap: (gap) => faults.push(topic + ': gap ' + JSON.stringify(gap)) })
  }
  const mine = 'page ' + Math.random()
  let said = 0
  follow('news')
  follow(mine)
  let timer
  const speak = (everyMs) => {
    timer = setInterval(() => topics.publish(mine, String(++said)).catch(({ code }) => faults.push('publish: ' + code)), everyMs)
  }
</script>`

/** What a page has seen at the end. */
export interface Seen {
  /** What was lost, doubled, out of order, or reported as a gap. */
  readonly faults: readonly string[]
  /** What the topics went over, one after the other. */
  readonly transports: readonly string[]
}

/**
 * Opens the page, and waits for the first message.
 * @param everyMs the time between two messages of the page itself
 */
export async function openPage(tab: Tab, port: number, options: TopicsOptions = {}, everyMs = 50): Promise<void> {
  await tab.goTo(`http://127.0.0.1:${port}/?${encodeURIComponent(JSON.stringify(options))}`)
  await tab.evaluate(`speak(${everyMs})`)
  await tab.evaluate('until(() => last.news > 0)')
}

/** Waits until the page has a message, and everything that it has published. */
export async function sawAll(tab: Tab, count: number): Promise<Seen> {
  await tab.evaluate(`until(() => last.news >= ${count})`)
  await tab.evaluate('clearInterval(timer)')
  return (await tab.evaluate('until(() => last[mine] === said).then(() => ({ faults, transports }))')) as Seen
}
