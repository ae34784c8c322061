import { randomUUID } from 'node:crypto'
import { linkToken, readLinkToken } from './link-token.ts'

const KEY = 'a key of links that is only good for tests'
const id = randomUUID()
const token = linkToken(KEY, 'new-password', id)

test('a token names its link, and is always the same', () => {
  expect(token).toMatch(/^[A-Za-z0-9_-]{64}$/)
  expect(readLinkToken(KEY, 'new-password', token)).toBe(id)
  expect(linkToken(KEY, 'new-password', id)).toBe(token)
})

test('every single bit of it counts', () => {
  const bytes = Buffer.from(token, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = Buffer.from(bytes)
    altered[bit >> 3]! ^= 1 << (bit & 7)
    expect(readLinkToken(KEY, 'new-password', altered.toString('base64url'))).toBeUndefined()
  }
})

test('it is good for one purpose and with one key, and a part of it for nothing', () => {
  expect(readLinkToken(KEY, 'confirm-email', token)).toBeUndefined()
  expect(readLinkToken(`${KEY}.`, 'new-password', token)).toBeUndefined()
  for (const part of ['', token.slice(0, 22), token.slice(0, -4), `${token}AAAA`])
    expect(readLinkToken(KEY, 'new-password', part)).toBeUndefined()
})
