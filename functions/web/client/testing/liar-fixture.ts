import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** What happens to one request:
 * - 'pass': the bank answers it;
 * - 'lose request': the connection breaks before the bank has it;
 * - 'lose answer': the bank answers, and the connection breaks before the client has it;
 * - 'cut answer': the client gets half of the bank's answer;
 * - 'hang': nobody answers, ever;
 * - any other text: the answer's bytes. The bank never sees the request. */
export type Fate = 'pass' | 'lose request' | 'lose answer' | 'cut answer' | 'hang' | (string & {})

/** A server of raw sockets between a client and its bank. */
export interface Liar {
  url: string
  /** Fates of the next requests, in order; one with a path waits for the first request to it. All others
   * pass. */
  fates: (Fate | { path: string; fate: Fate })[]
  /** Head and body of each request that came. */
  requests: string[]
  stop(): void
}

export async function startLiar(bankUrl: string): Promise<Liar> {
  const liar = { fates: [] as Liar['fates'], requests: [] as string[] }
  const sockets = new Set<Socket>()
  const server = net.createServer((client) => {
    sockets.add(client)
    client.on('close', () => sockets.delete(client)).on('error', () => undefined)
    let text = ''
    client.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      const head = text.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      if (head === -1 || text.length < head + 4 + length) return
      liar.requests.push(text)
      meet(client, text, nextFate(liar.fates, text), bankUrl)
      text = ''
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(liar, {
    url: `http://127.0.0.1:${port}`,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
}

function nextFate(fates: Liar['fates'], request: string): Fate {
  const i = fates.findIndex((one) => typeof one === 'string' || one.path === request.split(' ')[1])
  const [found = 'pass'] = i === -1 ? [] : fates.splice(i, 1)
  return typeof found === 'string' ? found : found.fate
}

function meet(client: Socket, request: string, fate: Fate, bankUrl: string): void {
  if (fate === 'hang') return
  if (fate === 'lose request') return void client.destroy()
  if (!['pass', 'lose answer', 'cut answer'].includes(fate)) return void client.end(fate, 'latin1')
  const { hostname, port } = new URL(bankUrl)
  const bank = net.connect({ host: hostname, port: Number(port) })
  let answer = ''
  bank.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk))
  bank.on('error', () => client.destroy())
  bank.on('end', () => {
    if (fate === 'lose answer') return void client.destroy()
    if (fate === 'pass') return void client.end(answer, 'latin1')
    client.write(answer.slice(0, -10), 'latin1', () => client.destroy())
  })
  // The end of the connection is then the end of the answer.
  bank.write(
    request.replace(/^connection: .*\r\n/im, '').replace('\r\n', '\r\nconnection: close\r\n'),
    'latin1',
  )
}

/** Returns the bytes of an answer. */
export function answerOf(status: number, body: unknown, headers: Record<string, string> = {}): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const all = {
    'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${status} Told\r\n${lines.join('\r\n')}\r\n\r\n${text}`
}

/** Returns the bytes of an answer with a problem. */
export const problemOf = (status: number, name: string, headers: Record<string, string> = {}): string =>
  answerOf(
    status,
    { type: `https://microbank.dev/problems/${name}`, title: 'A title', status, detail: 'Some detail.' },
    { 'content-type': 'application/problem+json', ...headers },
  )
