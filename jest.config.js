import { availableParallelism } from 'node:os'

/** Tests run against real Postgres and RabbitMQ, which tests/support/global-setup.ts starts once per run. */
export default {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.microbank/'],
  transform: {
    '\\.ttf$': '<rootDir>/tests/support/font-transform.cjs',
    '\\.(ts|js|mjs)$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // Packages that ship only ES modules, or import some of Node's when they need them, have to be transformed
  // for jest.
  transformIgnorePatterns: [
    '/node_modules/(?!(jose|pg-boss|croner|temporal-polyfill|temporal-utils|yaml|dejavu-fonts-ttf|@opentelemetry/otlp-exporter-base)/)',
  ],
  globalSetup: './tests/support/global-setup.ts',
  globalTeardown: './tests/support/global-teardown.ts',
  testSequencer: './tests/support/sequencer.mjs',
  // Three suites at a time on two processors: many wait for servers, timers and browsers.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // Only a test that hangs gets there, and a test that fails is worth the wait: a busy machine may be ten times
  // slower than this one is alone.
  testTimeout: 300_000,
  // A test that fails in the middle may leave a function process whose pipe would keep jest from ending.
  forceExit: true,
}
