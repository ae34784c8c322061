import type { IncomingHttpHeaders } from 'node:http'

/** What a reader tells of the answers on a connection, in this order. */
export interface AnswerSink {
  /** The answer's status and headers are here. Interim answers (1xx) are not told. */
  head(status: number, headers: IncomingHttpHeaders): void
  body(bytes: Buffer): void
  /** More of this answer is to come, but not now: everything that has arrived has been told. */
  more(): void
  /** The answer is complete. If `isLast`, the connection can't be used again, because the server says so or
   * because bytes follow that nobody asked for. */
  end(isLast: boolean): void
  /** What came is no answer, or an ambiguous one. Nothing more is told. */
  fault(reason: string): void
}

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'faulty'

const HEAD_BYTES_MAX = 64 * 1024
const CHUNK_LINE_BYTES_MAX = 4 * 1024
const NOTHING = Buffer.alloc(0)

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** The text of a header or line: no control character but the tab. */
export const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const LENGTH = /^\d{1,15}$/
const CHUNK_SIZE = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i

/** Reads the answers that arrive on one connection (HTTP/1.1, RFC 9112), however they are cut into pieces. It
 * is strict: two lengths, a coding other than chunked, a folded header or a lone line feed are faults,
 * because another reader could find the end of such an answer elsewhere. */
export class AnswerReader {
  readonly #sink: AnswerSink
  #state: State = 'head'
  /** The beginning of a head or line whose end has not arrived. */
  #unread: Buffer | undefined
  /** Bytes that are missing of the body or chunk. */
  #missing = 0
  #isLast = false
  #isOver = false
  /** Whether the next answer is to a HEAD request, and so has no body whatever its headers say. */
  isToHead = false

  constructor(sink: AnswerSink) {
    this.#sink = sink
  }

  read(bytes: Buffer): void {
    let rest = this.#unread ? Buffer.concat([this.#unread, bytes]) : bytes
    this.#unread = undefined
    while (rest.length > 0 && !this.#isOver) rest = this.#step(rest)
    if (this.#isOver) this.#tellEnd(rest.length > 0)
    else if (this.#state !== 'head' && this.#state !== 'faulty') this.#sink.more()
  }

  /** The connection has ended. Returns whether that was the end of an answer, which was then told. */
  close(): boolean {
    if (this.#state !== 'until-close') return false
    this.#tellEnd(false)
    return true
  }

  /** Reads one part and returns the rest. */
  #step(bytes: Buffer): Buffer {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes)
      case 'length':
        return this.#readBody(bytes, () => (this.#isOver = true))
      case 'until-close':
        this.#sink.body(bytes)
        return NOTHING
      case 'chunk-size':
        return this.#readLine(bytes, (line) => this.#beginChunk(line))
      case 'chunk':
        return this.#readBody(bytes, () => (this.#state = 'chunk-end'))
      case 'chunk-end':
        return this.#readLine(bytes, (line) =>
          line === '' ? (this.#state = 'chunk-size') : this.#fault('a chunk has another length than it says'),
        )
      case 'trailers':
        // They are dropped, because nobody here looks at them.
        return this.#readLine(bytes, (line) => (this.#isOver = line === ''))
      case 'faulty':
        return NOTHING
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) return this.#keep(bytes, HEAD_BYTES_MAX)
    const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
    const [, minor, code] = STATUS_LINE.exec(first) ?? []
    const headers = parseHeaders(lines)
    if (code === undefined || !headers) this.#fault('it is no answer of HTTP/1.1')
    else this.#begin(Number(code), headers, minor === '0')
    return bytes.subarray(end + 4)
  }

  #begin(status: number, headers: IncomingHttpHeaders, isOld: boolean): void {
    if (status === 101) return this.#fault('it switches protocols')
    if (status < 200) return // Interim: the final answer follows.
    const { 'content-length': length, 'transfer-encoding': coding, connection } = headers
    if (coding !== undefined && (length !== undefined || coding.toLowerCase() !== 'chunked'))
      return this.#fault('its length is ambiguous')
    if (length !== undefined && !LENGTH.test(length)) return this.#fault('its length is no number')
    this.#isLast = isOld || /(^|,)[ \t]*close[ \t]*(,|$)/i.test(connection ?? '')
    this.#sink.head(status, headers)
    this.#missing = Number(length ?? 0)
    if (this.isToHead || status === 204 || status === 304 || (length !== undefined && this.#missing === 0))
      this.#isOver = true
    else if (coding !== undefined) this.#state = 'chunk-size'
    else if (length !== undefined) this.#state = 'length'
    else {
      this.#state = 'until-close'
      this.#isLast = true
    }
  }

  #readBody(bytes: Buffer, done: () => void): Buffer {
    const body = bytes.length <= this.#missing ? bytes : bytes.subarray(0, this.#missing)
    this.#missing -= body.length
    this.#sink.body(body)
    if (this.#missing === 0) done()
    return bytes.subarray(body.length)
  }

  #beginChunk(line: string): void {
    const [, size] = CHUNK_SIZE.exec(line) ?? []
    if (size === undefined) return this.#fault('a chunk does not say its size')
    this.#missing = parseInt(size, 16)
    this.#state = this.#missing === 0 ? 'trailers' : 'chunk'
  }

  #readLine(bytes: Buffer, take: (line: string) => void): Buffer {
    const end = bytes.indexOf('\r\n')
    if (end === -1) return this.#keep(bytes, CHUNK_LINE_BYTES_MAX)
    const line = bytes.toString('latin1', 0, end)
    if (VALUE.test(line)) take(line)
    else this.#fault('a line holds a control character')
    return bytes.subarray(end + 2)
  }

  #keep(bytes: Buffer, bytesMax: number): Buffer {
    if (bytes.length > bytesMax) this.#fault('a line or its head is too long')
    else this.#unread = bytes
    return NOTHING
  }

  #tellEnd(hasMore: boolean): void {
    this.#state = 'head'
    this.#isOver = false
    this.#sink.end(this.#isLast || hasMore)
  }

  #fault(reason: string): void {
    this.#state = 'faulty'
    this.#sink.fault(reason)
  }
}

/** Returns headers as node:http gives them; undefined if a line is none. */
function parseHeaders(lines: readonly string[]): IncomingHttpHeaders | undefined {
  const headers = Object.create(null) as Record<string, string | string[]>
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1)
    if (colon < 1 || !NAME.test(name) || !VALUE.test(value)) return undefined
    add(headers, name, withoutSpaceAround(value))
  }
  return headers
}

/** trim() would also take a no-break space, which belongs to the value. */
function withoutSpaceAround(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isSpace(value.charCodeAt(start))) start++
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

function add(headers: Record<string, string | string[]>, name: string, value: string): void {
  const before = headers[name]
  if (before === undefined) headers[name] = name === 'set-cookie' ? [value] : value
  else if (typeof before === 'string') headers[name] = `${before}, ${value}`
  else before.push(value)
}
