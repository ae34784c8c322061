import http, { type RequestListener } from 'node:http'
import { join } from 'node:path'
import { folderIdentity, readFields } from '../data-folder/own-files.ts'
import { answerProblem, gatewayProblems } from './problem.ts'

const TIMEOUT_MS = 10_000
/** Queries, and nothing that changes Prometheus or tells its settings. */
const QUERY = /^\/api\/v1\/query(?:_range)?\?/

/** Returns a handler that lets the Prometheus of `npm run monitor` answer, if one watches the bank of this
 * data folder. */
export const passToPrometheus =
  (dataDir: string): RequestListener =>
  (request, response) => {
    const { method, url: path = '' } = request
    const refuse = (problem: keyof typeof gatewayProblems, detail: string): void =>
      answerProblem(request, response, gatewayProblems[problem], detail)
    const port = method === 'GET' && QUERY.test(path) ? watchingPort(dataDir) : undefined
    if (port === undefined)
      return refuse('unknownService', 'No Prometheus answers queries here. To start one: npm run monitor')
    request.resume()
    const asked = http.get({ host: '127.0.0.1', port, path, timeout: TIMEOUT_MS })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => refuse('unavailable', 'Prometheus does not answer.'))
    asked.on('response', (answer) => {
      response.writeHead(answer.statusCode!, { 'content-type': 'application/json' })
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
  }

/** The port that the monitor has written into a file. A file that a monitor left when it was killed, or that
 * came with a copy of the folder, means nothing: the port may be another program's by now. */
function watchingPort(dataDir: string): number | undefined {
  const { port, pid, folder } = readFields(join(dataDir, 'monitoring/prometheus.json')) ?? {}
  if (folder !== folderIdentity(dataDir) || !isPositive(port) || !isPositive(pid)) return undefined
  return runs(pid) ? port : undefined
}

const isPositive = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

/** Whether this user has such a process. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
