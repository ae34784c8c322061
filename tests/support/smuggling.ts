/** Requests whose framing hops may read in different ways, each with a second request hidden in its body. */

export type Method = 'GET' | 'DELETE' | 'POST'

export const SMUGGLED =
  'POST /events?smuggled HTTP/1.1\r\nhost: notify.bank.svc.cluster.local\r\ncontent-length: 0\r\n' +
  'ce-id: smuggled\r\nce-type: a.b\r\nce-source: /x\r\nce-specversion: 1.0\r\n\r\n'
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const chunked = `${chunk(SMUGGLED)}0\r\n\r\n`
const L = SMUGGLED.length

/** A request: what it is, its method, its headers (each with its line end) and its body. */
export type Shape = [what: string, method: Method | 'HEAD', headers: string, body: string]

/** Any hop that reads HTTP correctly takes the smuggled bytes as a body, or refuses the whole request. */
export const bodies: Shape[] = [
  ...(['GET', 'HEAD', 'DELETE', 'POST'] as const).flatMap((method): Shape[] => [
    [`a ${method} in chunks`, method, 'transfer-encoding: chunked\r\n', chunked],
    [`a ${method} with a length`, method, `content-length: ${L}\r\n`, SMUGGLED],
    [
      `a ${method} whose Connection names its length`,
      method,
      `connection: keep-alive, Content-Length\r\ncontent-length: ${L}\r\n`,
      SMUGGLED,
    ],
    [
      `a ${method} whose Connection names its coding`,
      method,
      'connection: transfer-encoding\r\ntransfer-encoding: chunked\r\n',
      chunked,
    ],
  ]),
  ['Expect', 'POST', `expect: 100-continue\r\ncontent-length: ${L}\r\n`, SMUGGLED],
  [
    'trailers',
    'POST',
    'transfer-encoding: chunked\r\ntrailer: content-length\r\n',
    `${chunk(SMUGGLED)}0\r\ncontent-length: 0\r\nhost: notify.bank.svc.cluster.local\r\n\r\n`,
  ],
  [
    'chunk extensions',
    'POST',
    'transfer-encoding: chunked\r\n',
    `${L.toString(16)};a=b;c="d"\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  [
    'chunk extensions without end',
    'POST',
    'transfer-encoding: chunked\r\n',
    `${L.toString(16)};${'a'.repeat(40_000)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  [
    'an upgrade with a length',
    'POST',
    `connection: upgrade\r\nupgrade: h2c\r\ncontent-length: ${L}\r\n`,
    SMUGGLED,
  ],
]

/** Hops may differ about where these requests end, so they must be refused. */
export const disputed: Shape[] = [
  ['CL.TE', 'POST', `content-length: ${L + 5}\r\ntransfer-encoding: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`],
  ['TE.CL', 'POST', `transfer-encoding: chunked\r\ncontent-length: 4\r\n`, chunked],
  ...[
    'transfer-encoding: xchunked',
    'transfer-encoding : chunked',
    'transfer-encoding: chunked\r\ntransfer-encoding: identity',
    'transfer-encoding: identity, chunked',
    'transfer-encoding: chunked, identity',
    'transfer-encoding: "chunked"',
    'transfer-encoding:\r\n chunked',
    'transfer-encoding: \x0bchunked',
    'transfer-encoding\x00: chunked',
    'x: y\r\n transfer-encoding: chunked',
  ].map((coding): Shape => [
    `TE.TE ${JSON.stringify(coding)}`,
    'POST',
    `${coding}\r\ncontent-length: ${L + 5}\r\n`,
    `0\r\n\r\n${SMUGGLED}`,
  ]),
  ...[
    `content-length: ${L}\r\ncontent-length: 0`,
    `content-length: 0\r\ncontent-length: ${L}`,
    `content-length: ${L}, ${L}`,
    `content-length: +${L}`,
    `content-length: -1`,
    `content-length: 0x${L.toString(16)}`,
    `content-length : ${L}`,
    `content-length: ${L}\x00`,
    `content\x00-length: ${L}`,
    `content-length:\r\n ${L}x`,
    `content-length: 99999999999999999999`,
  ].map((length): Shape => [`length ${JSON.stringify(length)}`, 'POST', `${length}\r\n`, SMUGGLED]),
  [
    'a chunk that is longer than it says',
    'POST',
    'transfer-encoding: chunked\r\n',
    `1\r\nab\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['an invalid chunk size', 'POST', 'transfer-encoding: chunked\r\n', `0x0\r\n\r\n${SMUGGLED}`],
]
