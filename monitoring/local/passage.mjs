import http from 'node:http'
import { connect } from 'node:net'

/** The host by which the runtime knows that its own metrics are asked for. */
export const RUNTIME_HOST = 'runtime.microbank.localhost'

/**
 * Opens a port of this machine at which Prometheus finds the metrics of the bank. The bank tells them by
 * their host name, which not every machine resolves and Prometheus can't send. At `/monitor` it says whose
 * passage it is.
 * @param {() => number | undefined} bankPort the port at which the bank answers this machine, wherever else
 *   it listens; it may be another after a start
 * @param {() => object} itself what the monitor says of itself
 * @returns {Promise<{ port: number, close: () => void }>}
 */
export async function openPassage(bankPort, itself) {
  const server = http.createServer((request, response) => {
    if (request.url === '/monitor')
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(itself()))
    const port = bankPort()
    const fail = () => response.writeHead(502).end('The bank does not run.\n')
    if (port === undefined || request.method !== 'GET' || request.url !== '/metrics') return void fail()
    const { accept = '*/*' } = request.headers
    const headers = { host: `${RUNTIME_HOST}:${port}`, accept }
    const asked = http.get({ host: '127.0.0.1', port, path: '/metrics', headers, timeout: 10_000 })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => (response.headersSent ? response.destroy() : fail()))
    asked.on('response', (answer) => {
      const type = answer.headers['content-type'] ?? 'text/plain'
      response.writeHead(answer.statusCode ?? 502, { 'content-type': type })
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { port, close: () => (server.close(), server.closeAllConnections()) }
}

/**
 * Resolves with whether somebody listens at a port of this machine.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export const isOpen = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
