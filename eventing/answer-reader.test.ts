import fc from 'fast-check'
import { AnswerReader } from './answer-reader.ts'

/** Reads the pieces as one connection and returns what is told of it. */
function read(pieces: (string | Buffer)[], { toHead = false, closes = false } = {}) {
  const told = { status: 0, headers: {}, body: '', ends: [] as string[], faults: [] as string[] }
  const reader = new AnswerReader({
    head: (status, headers) => Object.assign(told, { status, headers: { ...headers } }),
    body: (bytes) => (told.body += bytes.toString('latin1')),
    more: () => undefined,
    end: (isLast) => told.ends.push(isLast ? 'last' : 'kept'),
    fault: (reason) => told.faults.push(reason),
  })
  reader.isToHead = toHead
  for (const piece of pieces) reader.read(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
  if (closes) reader.close()
  return told
}

const ok = 'HTTP/1.1 200 OK\r\n'

test.each([
  ['a length', `${ok}Content-Length: 3\r\n\r\nabc`, 'abc', 'kept'],
  ['no body', `${ok}content-length: 0\r\n\r\n`, '', 'kept'],
  ['chunks', `${ok}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n`, 'abc', 'kept'],
  ['trailers', `${ok}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n`, 'abc', 'kept'],
  [
    'chunks in upper case',
    `${ok}transfer-encoding: Chunked\r\n\r\n0A \r\n0123456789\r\n0\r\n\r\n`,
    '0123456789',
    'kept',
  ],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', '', 'kept'],
  ['304 with a length', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n', '', 'kept'],
  ['no reason', 'HTTP/1.1 200\r\ncontent-length: 1\r\n\r\na', 'a', 'kept'],
  [
    'interim answers',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\na: b\r\n\r\n${ok}content-length: 1\r\n\r\na`,
    'a',
    'kept',
  ],
  ['a close', `${ok}connection: Foo, Close\r\ncontent-length: 1\r\n\r\na`, 'a', 'last'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', 'a', 'last'],
  ['bytes that nobody asked for', `${ok}content-length: 1\r\n\r\naHTTP/1.1 200 OK\r\n`, 'a', 'last'],
])('reads an answer with %s, however it is cut', (_what, text, body, end) => {
  const bytes = Buffer.from(text, 'latin1')
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 })), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      const pieces = places.slice(1).map((place, i) => bytes.subarray(places[i], place))
      const told = read(pieces)
      expect([told.body, told.faults]).toEqual([body, []])
      // Bytes that follow an answer are noticed only if they come with its end.
      expect([end, 'kept']).toContain(told.ends[0])
    }),
  )
  expect(read([bytes])).toMatchObject({ body, ends: [end], faults: [] })
})

test('an answer without a length ends with its connection', () => {
  const text = `${ok}a: b\r\n\r\nabc`
  expect(read([text])).toMatchObject({ body: 'abc', ends: [] })
  expect(read([text], { closes: true })).toMatchObject({ body: 'abc', ends: ['last'] })
  expect(read([`${ok}content-length: 4\r\n\r\nabc`], { closes: true })).toMatchObject({ ends: [] })
})

test('an answer to HEAD has no body, whatever its length says', () => {
  expect(read([`${ok}content-length: 5\r\n\r\n`], { toHead: true })).toMatchObject({
    headers: { 'content-length': '5' },
    ends: ['kept'],
  })
})

test('headers come as node:http gives them', () => {
  const text = `${ok}X-A:  b \r\nx-a: c\r\nset-cookie: d\r\nSet-Cookie: e\r\n__proto__: f\r\ncontent-length: 0\r\n\r\n`
  const { headers } = read([text])
  expect(Object.entries(headers)).toEqual([
    ['x-a', 'b, c'],
    ['set-cookie', ['d', 'e']],
    ['__proto__', 'f'],
    ['content-length', '0'],
  ])
})

const large = 'x'.repeat(70_000)

test.each([
  ['two lengths', `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
  ['the same length twice', `${ok}content-length: 1\r\ncontent-length: 1\r\n\r\na`],
  ['a length and chunks', `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['another coding', `${ok}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['chunked twice', `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a negative length', `${ok}content-length: -1\r\n\r\n`],
  ['a length with a sign', `${ok}content-length: +1\r\n\r\na`],
  ['a folded header', `${ok}a: b\r\n c\r\ncontent-length: 0\r\n\r\n`],
  ['a space before the colon', `${ok}content-length : 1\r\n\r\na`],
  ['a lone line feed', `${ok}a: b\ncontent-length: 1\r\n\r\na`],
  ['a lone line feed in the status line', 'HTTP/1.1 200 OK\ncontent-length: 1\r\n\r\n'],
  ['a lone line feed after a size', `${ok}transfer-encoding: chunked\r\n\r\n1;\n\r\na\r\n0\r\n\r\n`],
  ['a lone line feed in a trailer', `${ok}transfer-encoding: chunked\r\n\r\n0\r\na: b\n\r\n\r\n`],
  ['a space that is none of HTTP', `${ok}content-length: \xa01\r\n\r\na`],
  ['a lone carriage return', `${ok}a: b\rcontent-length: 1\r\n\r\na`],
  ['a NUL', `${ok}a: \0\r\n\r\n`],
  ['no colon', `${ok}what\r\n\r\n`],
  ['another protocol', 'HTTP/2 200 OK\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a chunk without a size', `${ok}transfer-encoding: chunked\r\n\r\n\r\nabc`],
  ['a chunk with a sign', `${ok}transfer-encoding: chunked\r\n\r\n-1\r\n`],
  ['a chunk in hexadecimal with a prefix', `${ok}transfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`],
  ['a chunk that is longer than it says', `${ok}transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n`],
  ['a head without an end', `${ok}a: ${large}`],
  ['a size without an end', `${ok}transfer-encoding: chunked\r\n\r\n1;${large}`],
])('refuses an answer with %s', (_what, text) => {
  const told = read([text, text])
  expect([told.faults.length, told.ends]).toEqual([1, []])
})
