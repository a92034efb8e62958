/** @jest-config-loader esbuild-register */
import { availableParallelism } from 'node:os'
import type { Config } from 'jest'

const config: Config = {
  roots: ['<rootDir>/packages', '<rootDir>/scripts'],
  testMatch: ['**/*.test.ts'],
  // Many suites wait for most of their time: for deadlines, browsers, and processes. Jest's default is one less than there
  // are cores, so that on a machine with two of them everything would run in a row.
  maxWorkers: Math.max(2, availableParallelism()),
  // A worker keeps some of what each suite has loaded; over that it starts anew.
  workerIdleMemoryLimit: '512MB',
  testSequencer: '<rootDir>/packages/test-kit/longest-first.mjs',
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '^.+\\.[mc]?[jt]s$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true }
        },
        module: { type: 'commonjs' }
      }
    ]
  },
  // fastify.inject() pulls in a version of cookie that is ESM only, and @hono/session one of jose. So is
  // NestJS 12.
  transformIgnorePatterns: ['^(?!.*(?:/(?:cookie|jose)/dist/|/@nestjs[+][a-z.-]+@12)).*/node_modules/'],
  // Tests run the sources: no build comes before them.
  moduleNameMapper: {
    '^@oneport/core/(adapter|ws-compatibility)$': '<rootDir>/packages/core/src/$1.ts',
    '^@oneport/(core|express|fastify|hono|kit|koa|nestjs|topics|client|postgres|redis|testing|adapter-testsuite|test-kit)$':
      '<rootDir>/packages/$1/src/index.ts',
    '^@oneport/adapter-testsuite/parts$': '<rootDir>/packages/adapter-testsuite/src/parts.ts',
    '^@oneport/topics/(cluster|contract)$': '<rootDir>/packages/topics/src/$1.ts'
  },
  setupFilesAfterEnv: ['<rootDir>/packages/test-kit/src/fail-on-console.ts'],
  reporters: ['default', 'summary', '<rootDir>/packages/test-kit/closing-line-reporter.mjs'],
  collectCoverageFrom: ['packages/core/src/**/*.ts', '!packages/core/src/index.ts'],
  coverageThreshold: { global: { branches: 95 } }
}

export default config
