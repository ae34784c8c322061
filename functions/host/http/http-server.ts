import {
  createServer,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PROBLEM_JSON } from '../../../eventing/problem.ts'
import { answer } from './answer.ts'
import { comesTooLate, makeLast } from './last-answer.ts'
import { problem, problems } from '../problems.ts'

/** The answer to the newest request on each connection. */
type LastAnswers = WeakMap<Duplex, ServerResponse>

/** A client that takes nothing of its answer for this long is cut off. */
const STALLED_MS = 60_000

/** Creates an HTTP server that answers slow clients with 408 and everything that is not HTTP with a
 * problem. A connection on which something went wrong is closed, so no request gets another request's
 * answer. */
export function createHttpServer(options: ServerOptions, handle: RequestListener): Server {
  const answers: LastAnswers = new WeakMap()
  const server = createServer(
    {
      // Milliseconds for a client to send its headers, and its whole request.
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
      ...options,
    },
    (request, response) => {
      if (comesTooLate(request)) return void request.resume()
      answers.set(request.socket, response)
      if (!response.socket) closeWith(request.socket, response)
      handle(request, response)
    },
  )
  server.timeout = STALLED_MS
  server.on('timeout', (socket) => {
    const last = answers.get(socket)
    const isAnswering = last !== undefined && !last.writableFinished
    // An answer may take longer to make, and an event stream may have no events for a while.
    if (!isAnswering || socket.writableLength > 0) socket.destroy()
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    refuse(error, socket, answers.get(socket)),
  )
  return server
}

/** The answers on each connection that wait for those before them. */
const waiting = new WeakMap<Socket, Set<ServerResponse>>()

/** Closes an answer that still waits when its connection closes. node:http closes only the answer whose turn
 * it is, so whoever works for the others would not notice that the client has left. */
function closeWith(socket: Socket, response: ServerResponse): void {
  let here = waiting.get(socket)
  if (!here) {
    const all = (here = new Set<ServerResponse>())
    waiting.set(socket, all)
    socket.once('close', () => {
      for (const each of all) if (!each.socket) each.destroy().emit('close')
    })
  }
  here.add(response)
  response.once('close', () => here.delete(response))
}

function refuse(error: NodeJS.ErrnoException, socket: Duplex, last: ServerResponse | undefined): void {
  const isIdle = last === undefined || (last.writableFinished && last.req.complete)
  // The fault is in the body of the request whose answer is next and has not begun.
  const isItsOwn = last !== undefined && !last.req.complete && !last.headersSent && last.socket !== null
  if (error.code === 'ECONNRESET' || !socket.writable || !(isIdle || isItsOwn)) return void socket.destroy()
  const type =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? problems.headersTooLarge
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? problems.requestTimeout
        : problems.badRequest
  const reply = problem(type, `${type.title}.`)
  if (!isIdle) {
    makeLast(last)
    answer(last, reply)
    return
  }
  const body = JSON.stringify(reply.body)
  const late = setTimeout(() => socket.destroy(), 1_000)
  socket.once('close', () => clearTimeout(late))
  ;(socket as Socket).end(
    `HTTP/1.1 ${type.status} ${type.title}\r\nContent-Type: ${PROBLEM_JSON}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
