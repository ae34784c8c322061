import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TestProvider {
  url: string
  requests: { path: string; headers: http.IncomingHttpHeaders; body: Buffer }[]
  /** What it answers next, in place of 201; 'silence' for no answer. With `isEndless`, its body never
   * ends. */
  answers: (
    | { status: number; headers?: Record<string, string>; body?: string; isEndless?: boolean }
    | 'silence'
  )[]
  stop(): Promise<void>
}

/** Starts a provider's HTTP server on this machine. */
export async function startProvider(): Promise<TestProvider> {
  const requests: TestProvider['requests'] = []
  const answers: TestProvider['answers'] = []
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) })
      const answer = answers.shift() ?? { status: 201 }
      if (answer === 'silence') return
      response.writeHead(answer.status, answer.headers)
      if (answer.isEndless) response.write(answer.body ?? 'and so on')
      else response.end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
