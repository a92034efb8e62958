export {
  type ClusterBackplaneOptions,
  type ClusterOptions,
  type ClusterStats,
  type ClusterTopics,
  clusterBackplane,
  serveCluster
} from './cluster.ts'
