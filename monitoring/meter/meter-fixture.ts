import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLog } from '../log.ts'
import { Meter, receiveReport } from './meter.ts'

/** A meter at an address of its own, for tests. */
export interface TestMeter {
  meter: Meter
  /** Where reports go. */
  endpoint: string
  port: number
  /** The text of each report that came, whatever became of it. */
  reports: string[]
  /** How it answers from now on: it takes reports, refuses them for now, takes them but says nothing, or is
   * silent. */
  mode: 'take' | 'refuse' | 'take-silently' | 'hang'
  close(): Promise<void>
}

/** Starts a meter that takes reports and shows `/metrics`. */
export async function startMeter(meter = testMeter(), port = 0): Promise<TestMeter> {
  const fixture = { meter, reports: [] as string[], mode: 'take' as TestMeter['mode'] }
  const receiver: Pick<Meter, 'take'> = {
    take(text) {
      fixture.reports.push(text)
      return fixture.mode === 'take' || fixture.mode === 'take-silently' ? meter.take(text) : 0
    },
  }
  const server = http.createServer((request, response) => {
    if (request.url === '/metrics')
      return void meter
        .expose(request.headers.accept)
        .then(({ contentType, text }) => response.writeHead(200, { 'content-type': contentType }).end(text))
    if (fixture.mode === 'hang' || fixture.mode === 'take-silently') response.end = () => response
    if (fixture.mode === 'refuse') response.writeHead = () => response
    if (fixture.mode === 'refuse') response.statusCode = 503
    receiveReport(receiver, request, response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: open } = server.address() as AddressInfo
  return Object.assign(fixture, {
    endpoint: `http://127.0.0.1:${open}/v1/metrics`,
    port: open,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

export const testMeter = (): Meter => new Meter({ log: createLog({}, 'off'), version: '1' })
