export {
  type Backplane,
  type BackplaneHealth,
  type BackplaneStats,
  createTopics,
  MemoryHub,
  type MessageData,
  memoryBackplane,
  type Published,
  type PublishOptions,
  type SlowPolicy,
  type TopicSocket,
  type Topics,
  TopicsError,
  type TopicsErrorCode,
  type TopicsOptions,
  type TopicsStats
} from './index.ts'
