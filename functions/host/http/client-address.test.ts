import type { IncomingMessage } from 'node:http'
import { CLIENT_HEADER, clientAddress, createVoucher, trust, type Trust } from './client-address.ts'

const KEY = 'a key that is only good for these tests'
const LOCAL = 'bank.svc.cluster.local'

interface Came {
  from?: string | undefined
  forwarded?: string | undefined
  host?: string
  headers?: Record<string, string>
}

function received({ from = '127.0.0.1', forwarded, host, headers }: Came, trusted?: Trust): IncomingMessage {
  const request = {
    socket: { remoteAddress: from },
    headers: { host, ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }), ...headers },
  } as never as IncomingMessage
  if (trusted) trust(request, trusted)
  return request
}

const addressOf = (came: Came, trusted?: Trust): string => clientAddress(received(came, trusted))

// As Kourier 1.23 (use-remote-address: true), activator and queue-proxy write it: each appends the address
// that called it.
const GATEWAY = '10.244.1.7'
const ACTIVATOR = '10.244.2.9'
const kourier = { hops: 3, hopsOfMapped: 4, localDomain: LOCAL }
const direct = 'front-door.bank.example.org'
const mapped = `front-door.${LOCAL}`

describe('behind Kourier', () => {
  test.each([
    ['a client', direct, ['203.0.113.9', GATEWAY, ACTIVATOR], '203.0.113.9'],
    ['one over IPv6', direct, ['2001:db8::7', GATEWAY, ACTIVATOR], '2001:db8::7'],
    ['one that names somebody else', direct, ['6.6.6.6', '203.0.113.9', GATEWAY, ACTIVATOR], '203.0.113.9'],
    [
      'one that names many',
      direct,
      ['6.6.6.6', '10.0.0.1', '203.0.113.9', GATEWAY, ACTIVATOR],
      '203.0.113.9',
    ],
    [
      'one in the cluster that names another',
      direct,
      ['6.6.6.6', '10.1.1.1', GATEWAY, ACTIVATOR],
      '10.1.1.1',
    ],
    ['one behind a node that rewrites addresses', direct, ['10.244.0.1', GATEWAY, ACTIVATOR], '10.244.0.1'],
    ['one that writes rubbish', direct, ['<script>', '203.0.113.9', GATEWAY, ACTIVATOR], '203.0.113.9'],
    [
      'one that came by the domain’s name',
      mapped,
      ['203.0.113.9', GATEWAY, GATEWAY, ACTIVATOR],
      '203.0.113.9',
    ],
    [
      'the same, if it names others',
      mapped,
      ['6.6.6.6', '203.0.113.9', GATEWAY, GATEWAY, ACTIVATOR],
      '203.0.113.9',
    ],
    ['one that came a shorter way', direct, [GATEWAY, ACTIVATOR], ''],
    ['one without the header', direct, [], ''],
    ['one whose entry is not an address', direct, ['unknown', GATEWAY, ACTIVATOR], ''],
    ['one with a port in its entry', direct, ['203.0.113.9:1234', GATEWAY, ACTIVATOR], ''],
  ])('the address of %s', (_who, host, forwarded, expected) => {
    const came = { host, forwarded: forwarded.length > 0 ? forwarded.join(', ') : undefined }
    expect(addressOf(came, kourier)).toBe(expected)
    expect(addressOf({ ...came, forwarded: forwarded.join(',') }, kourier)).toBe(expected)
  })

  test('a local name is recognised with a port and in capitals; another name that begins with it is not', () => {
    const forwarded = ['203.0.113.9', GATEWAY, GATEWAY, ACTIVATOR].join(', ')
    for (const host of [`${mapped}:80`, mapped.toUpperCase()])
      expect(addressOf({ host, forwarded }, kourier)).toBe('203.0.113.9')
    expect(addressOf({ host: `${LOCAL}.example.org`, forwarded }, kourier)).toBe(GATEWAY)
  })
})

test.each([
  ['on a laptop, where the public port replaces the header', '127.0.0.1', '192.0.2.4', 1, '192.0.2.4'],
  ['without a proxy in front, over IPv4 and IPv6', '::ffff:203.0.113.9', '6.6.6.6', 0, '203.0.113.9'],
  ['without a proxy in front, over IPv6', '2001:db8::7', undefined, 0, '2001:db8::7'],
])('the address %s', (_where, from, forwarded, hops, expected) => {
  expect(addressOf({ from, forwarded }, { hops })).toBe(expected)
})

test('an address is unknown if nothing is trusted and the connection is gone', () => {
  const request = { socket: {}, headers: { 'x-forwarded-for': '6.6.6.6' } } as never as IncomingMessage
  expect(clientAddress(request)).toBe('')
})

describe('behind the front door', () => {
  const inner = { hops: 3, frontDoorKey: KEY }

  /** Returns what a function receives when the front door passes on a request. */
  function passedOn(headers: Record<string, string> = {}, key = KEY): Came {
    const host = direct
    const request = received(
      { host, forwarded: `203.0.113.9, ${GATEWAY}, ${ACTIVATOR}`, headers },
      { ...kourier },
    )
    return {
      host: `login.${LOCAL}`,
      forwarded: `203.0.113.9, 10.244.3.3, ${GATEWAY}, ${ACTIVATOR}`,
      headers: { [CLIENT_HEADER]: createVoucher(key)(request) },
    }
  }

  test('the address that it signed counts, however long the way was', () => {
    expect(addressOf(passedOn(), inner)).toBe('203.0.113.9')
    expect(addressOf({ ...passedOn(), forwarded: '127.0.0.1' }, inner)).toBe('203.0.113.9')
  })

  test('a client’s own value of that header does not count', () => {
    const [, seal] = String(passedOn().headers![CLIENT_HEADER]).split(' ')
    for (const said of [
      '6.6.6.6',
      '6.6.6.6 ',
      `6.6.6.6 ${seal}`,
      `6.6.6.6 ${'A'.repeat(43)}`,
      `203.0.113.9 ${seal}x`,
    ]) {
      const came = { host: 'login.bank.example.org', forwarded: `198.51.100.1, ${GATEWAY}, ${ACTIVATOR}` }
      expect(addressOf({ ...came, headers: { [CLIENT_HEADER]: said } }, inner)).toBe('198.51.100.1')
      expect(addressOf(passedOn({ [CLIENT_HEADER]: said }), inner)).toBe('203.0.113.9')
    }
  })

  test('a client whose address it does not know stays unknown, and does not get a proxy’s address', () => {
    const request = received({ host: direct }, kourier)
    const headers = { [CLIENT_HEADER]: createVoucher(KEY)(request) }
    expect(addressOf({ headers, forwarded: `203.0.113.250, ${GATEWAY}, ${ACTIVATOR}` }, inner)).toBe('')
  })

  test('many clients are told apart', () => {
    const vouch = createVoucher(KEY)
    for (let n = 0; n < 3_000; n++) {
      const client = `10.9.${n >> 8}.${n & 255}`
      const request = received({ from: client }, { hops: 0 })
      expect(addressOf({ headers: { [CLIENT_HEADER]: vouch(request) } }, inner)).toBe(client)
      expect(vouch(request)).toBe(vouch(request))
    }
  })

  test('a signature with another key does not count, and without a key none counts', () => {
    expect(addressOf(passedOn({}, 'another key, with which nobody is convinced'), inner)).toBe('10.244.3.3')
    expect(addressOf(passedOn(), { hops: 3 })).toBe('10.244.3.3')
  })
})
