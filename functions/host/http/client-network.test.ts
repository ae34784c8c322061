import { clientOf, isShared } from './client-network.ts'

test('a client is its address, or the subscriber’s part of an IPv6 address', () => {
  expect(clientOf('192.0.2.1')).toBe('192.0.2.1')
  expect(clientOf('2001:db8:0:7::1')).toBe('2001:db8:0:7')
  expect(clientOf('2001:DB8:0:7:ffff:0:0:2')).toBe('2001:db8:0:7')
  expect(clientOf('2001:db8:0:8::1')).not.toBe(clientOf('2001:db8:0:7::1'))
  expect(clientOf('::1')).toBe('0:0:0:0')
  expect(clientOf('fe80::1%eth0')).toBe('fe80:0:0:0')
  expect(clientOf('::ffff:192.0.2.1')).not.toBe(clientOf('::ffff:192.0.2.2'))
  expect(clientOf('')).toBe('')
})

test.each([
  ['', true],
  ['127.0.0.1', true],
  ['10.244.1.7', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['100.64.3.4', true],
  ['169.254.1.1', true],
  ['203.0.113.9', false],
  ['::1', true],
  ['fd12:3456::1', true],
  ['fe80::1', true],
  ['::ffff:10.0.0.1', true],
  ['2001:db8::7', false],
])('whether many clients may share %j: %s', (address, shared) => {
  expect(isShared(address)).toBe(shared)
})
