import { type Backplane, createTopics } from '@oneport/topics'
import { atEnd, serveBare, stopAll } from '../../topics/test/pair.ts'
import { until } from './node.ts'

afterEach(stopAll)

// If the connection is lost during an unsubscribe, Redis or the client may or may not have forgotten the topic.
test.each(['during the unsubscribe', 'after the unsubscribe has failed'])(
  'a topic that could not be unsubscribed and is needed again, %s, is subscribed again',
  async (when) => {
    const calls: string[] = []
    let fail = (): void => {}
    const backplane: Backplane = {
      publish: async () => {},
      subscribe: async () => calls.push('subscribe'),
      unsubscribe: () => {
        calls.push('unsubscribe')
        return new Promise((_, reject) => {
          fail = () => reject(new Error('The connection is lost.'))
        })
      },
      health: () => 'up',
      close: async () => {}
    }
    const errors: unknown[] = []
    const topics = createTopics({ backplane, onBackplaneError: (error) => errors.push(error) })
    atEnd(() => topics.close())
    const { socket } = await (await serveBare()).connect()
    topics.subscribe(socket, 'news')
    await until(() => topics.stats().backplane?.missing === 0)
    topics.unsubscribe(socket, 'news')
    await until(() => calls.length === 2)
    if (when === 'during the unsubscribe') topics.subscribe(socket, 'news')
    fail()
    await until(() => errors.length === 1)
    if (when !== 'during the unsubscribe') topics.subscribe(socket, 'news')
    await until(() => topics.stats().backplane?.missing === 0)
    expect(calls).toEqual(['subscribe', 'unsubscribe', 'subscribe'])
    expect(topics.stats().backplane).toMatchObject({ topics: 1 })
  }
)
