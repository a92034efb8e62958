export {
  createTopics,
  type MessageData,
  type PublishOptions,
  type SlowPolicy,
  type Topics,
  TopicsError,
  type TopicsErrorCode,
  type TopicsOptions,
  type TopicsStats
} from './index.ts'
