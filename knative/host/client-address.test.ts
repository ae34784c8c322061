import type { IncomingMessage } from 'node:http'
import { clientAddress } from './client-address.ts'

const from = (remoteAddress: string | undefined, forwarded?: string): string =>
  clientAddress({
    socket: { remoteAddress },
    headers: { 'x-forwarded-for': forwarded },
  } as never as IncomingMessage)

test.each([
  ['one that comes straight', '203.0.113.9', undefined, '203.0.113.9'],
  ['one through our proxies', '::ffff:10.1.2.3', '203.0.113.9, 192.168.0.7', '203.0.113.9'],
  ['one over IPv6', 'fd00::1', '2001:db8::7', '2001:db8::7'],
  ['one that names somebody else in front', '127.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
  ['one that no proxy speaks for', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['one from within', '127.0.0.1', '10.0.0.2', '10.0.0.2'],
  ['one with rubbish in the header', '127.0.0.1', '203.0.113.9, unknown', '127.0.0.1'],
  ['one that is gone', undefined, '203.0.113.9', ''],
])('the address of %s', (_what, remote, forwarded, address) => {
  expect(from(remote, forwarded)).toBe(address)
})
