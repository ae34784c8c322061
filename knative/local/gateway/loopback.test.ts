import { areLoopback, urlHere } from './loopback.ts'

test.each([
  [['127.0.0.1', '::1'], 'http://127.0.0.1:8080'],
  [['::1'], 'http://[::1]:8080'],
  [['127.0.0.2'], 'http://127.0.0.2:8080'],
  [['localhost'], 'http://localhost:8080'],
])('a bank on %s alone is reached where it listens', (hosts, url) => {
  expect([areLoopback(hosts), urlHere(hosts, 8080)]).toEqual([true, url])
})

test.each([[['0.0.0.0']], [['::']], [['127.0.0.1', '192.168.1.2']], [['127.0.0.1.evil.example']]])(
  'others may reach a bank on %s',
  (hosts) => expect(areLoopback(hosts)).toBe(false),
)
