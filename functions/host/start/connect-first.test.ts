import type { IncomingMessage, ServerResponse } from 'node:http'
import { until } from '../../../tests/support/until.ts'
import { connectFirst } from './connect-first.ts'

const NEVER_MS = 2 ** 31 - 1

/** A function whose log says in which order it connects and handles requests. */
function start(aloneMs = NEVER_MS) {
  const log: string[] = []
  const handle = connectFirst(
    { connect: async () => void log.push('connect') },
    ({ url }) => void log.push(url!),
    aloneMs,
  )
  const request = (url: string): void => void handle({ url } as IncomingMessage, {} as ServerResponse)
  return { log, request }
}

test('the first request waits until the connection to the database has begun', async () => {
  const { log, request } = start()
  request('/accounts')
  expect(log).toEqual(['connect'])
  await until(() => log.length === 2)
  expect(log).toEqual(['connect', '/accounts'])
})

test('later requests do not wait, and nothing connects again', () => {
  const { log, request } = start()
  request('/accounts')
  request('/accounts?limit=1')
  expect(log).toEqual(['connect', '/accounts?limit=1'])
})

test('probes are answered without a connection', () => {
  const { log, request } = start()
  for (const probe of ['/healthz', '/readyz']) request(probe)
  expect(log).toEqual(['/healthz', '/readyz'])
})

test('without a request the database is connected all the same', async () => {
  const { log } = start(0)
  await until(() => log.length === 1)
  expect(log).toEqual(['connect'])
})
