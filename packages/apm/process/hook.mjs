// What OpenTelemetry needs to see imports of ES modules.
import { register } from 'node:module'

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)
