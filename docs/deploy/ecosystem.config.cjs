module.exports = {
  apps: [
    {
      name: 'app',
      script: 'server.mjs',
      exec_mode: 'cluster',
      instances: 'max',
      kill_timeout: 40_000
    }
  ]
}
