import type { IncomingMessage } from 'node:http'
import type { Tools } from '../../host/tools.ts'
import { createDemo } from './demo.ts'

const KEY = 'a key'
const GATEWAY = '127.0.0.1:1'

test.each([
  ['a laptop', 'localhost:8080', KEY, GATEWAY, true],
  ['a laptop, by its address', '127.0.0.1:8080', KEY, GATEWAY, true],
  ['a laptop, by its address of IPv6', '[::1]:8080', KEY, GATEWAY, true],
  ['a laptop, by a name that somebody else chose', 'localhost.evil.example', KEY, GATEWAY, false],
  ['a laptop that other machines reach', 'localhost:8080', '', GATEWAY, false],
  ['a cluster', 'localhost:8080', '', undefined, false],
  ['a cluster whose environment has a key', 'localhost:8080', KEY, undefined, false],
])('%s', (_where, host, DEMO_KEY, LOCAL_GATEWAY, isHere) => {
  const demo = createDemo({ config: { DEMO_KEY, LOCAL_GATEWAY } } as unknown as Tools)
  expect(demo.isHere({ headers: { host } } as IncomingMessage)).toBe(isHere)
})
