/** Topics of the workers of `node:cluster`, whose history the primary keeps. */
export type { ClusterBackplaneOptions } from './cluster/backplane.ts'
export { clusterBackplane } from './cluster/backplane.ts'
export type { ClusterOptions, ClusterStats, ClusterTopics } from './cluster/serve-cluster.ts'
export { serveCluster } from './cluster/serve-cluster.ts'
