import type { News } from '../client/library.ts'
import type { Fault } from '../settings.ts'

/** Which message of a page goes wrong. */
const victim = 5

/** Tells one message or answer of a page wrong, so that a test sees whether the checker finds it. */
export function misreport(tell: (news: News) => void, fault: Fault): (news: News) => void {
  let count = 0
  let held: (News & { kind: 'message' }) | undefined
  return (news) => {
    const { kind } = news
    if (fault === 'mute') {
      if (kind !== 'published' || ++count !== victim) tell(news)
      return
    }
    if (kind !== 'message') return tell(news)
    if (held !== undefined) {
      tell(news)
      if (held.topic !== news.topic) return
      tell(held)
      held = undefined
      return
    }
    if (++count !== victim) return tell(news)
    if (fault === 'swap') held = news
    if (fault !== 'double') return
    tell(news)
    tell(news)
  }
}
