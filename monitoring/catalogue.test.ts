import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { allows, catalogue, instrumentOf } from './catalogue.ts'
import { metricsPage } from './catalogue/page.ts'

test('names are unique, and say unit and type as Prometheus wants it', () => {
  const names = catalogue.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { name, type } of catalogue) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    expect([name, /_total$/.test(name)]).toEqual([name, type === 'counter'])
    expect([name, /_(bucket|sum|count)$/.test(name)]).toEqual([name, false])
  }
})

test('a histogram has rising buckets, and a gauge of processes says what becomes of several', () => {
  for (const { name, type, buckets, by, over } of catalogue) {
    expect([name, buckets !== undefined]).toEqual([name, type === 'histogram'])
    if (buckets) expect([...buckets].sort((a, b) => a - b)).toEqual(buckets)
    expect([name, over !== undefined]).toEqual([name, type === 'gauge' && by === 'process'])
  }
})

test('a label takes the values of its set, and no ids', () => {
  const { labels } = instrumentOf('http_requests_total')!
  expect(allows(labels.status, '2xx')).toBe(true)
  expect(allows(labels.status, '200')).toBe(false)
  for (const handler of ['/accounts/{id}', '/events', '/', 'none', '/docs/*', '/.well-known/jwks.json'])
    expect([handler, allows(labels.handler, handler)]).toEqual([handler, true])
  for (const handler of ['', 'accounts', '/accounts/{id', '/a b', '/a?b=c'])
    expect([handler, allows(labels.handler, handler)]).toEqual([handler, false])
  expect(allows(labels.user_id, 'somebody')).toBe(false)
})

test('docs/metrics.md lists the catalogue: after a change run npm run metrics-page', () => {
  const file = join(__dirname, '../docs/metrics.md')
  expect(readFileSync(file, 'utf8')).toBe(metricsPage(catalogue))
})
