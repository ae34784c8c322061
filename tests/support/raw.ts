import { connect } from 'node:net'

export interface RawAnswer {
  status: number
  head: string
  body: string
}

export interface RawExchange {
  answers: RawAnswer[]
  /** True if the server closed the connection. */
  isClosed: boolean
}

export interface RawOptions {
  /** Ends when this many answers have arrived. Default: only when the server closes the connection. */
  count?: number
  /** After this time it resolves with what has arrived. */
  timeoutMs?: number
  /** The request is HEAD: its answer states a length but has no body. */
  isHead?: boolean
}

/** Sends bytes as they are, one character each, and reads the answers. */
export function raw(
  port: number,
  text: string,
  { count = Infinity, timeoutMs = 90_000, isHead = false }: RawOptions = {},
): Promise<RawExchange> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
    const end = (isClosed: boolean): void => {
      clearTimeout(late)
      socket.destroy()
      resolve({ answers: answersIn(received, isHead), isClosed })
    }
    const late = setTimeout(() => end(false), timeoutMs)
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (answersIn(received, isHead).length >= count) end(false)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => end(true))
  })
}

/** Returns the complete answers in the text, without interim ones. `isHead`: they have no bodies. */
export function answersIn(text: string, isHead = false): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) return answers
    const head = rest.slice(0, end)
    rest = rest.slice(end + 4)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
    if (!status) throw new Error(`expected an answer, not ${JSON.stringify(head.slice(0, 80))}`)
    if (status < 200) continue
    const body = isHead ? { text: '', length: 0 } : bodyOf(head, status, rest)
    if (body === undefined) return answers
    answers.push({ status, head, body: body.text })
    rest = rest.slice(body.length)
  }
}

function bodyOf(head: string, status: number, rest: string): { text: string; length: number } | undefined {
  if (status === 204 || status === 304) return { text: '', length: 0 }
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined)
    return rest.length < Number(length)
      ? undefined
      : { text: rest.slice(0, Number(length)), length: Number(length) }
  let text = ''
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf('\r\n', at)
    const size = parseInt(rest.slice(at, lineEnd), 16)
    if (lineEnd === -1 || rest.length < lineEnd + 2 + size + 2) return undefined
    text += rest.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
    if (size === 0) return { text, length: at }
  }
}
