import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Log } from '../../monitoring/log.ts'
import { problem } from '../host/problems.ts'
import { internalTarget, publicTarget, STATUS_HOST, type Target } from './hosts.ts'
import { answerProblem, gatewayProblems } from './problem.ts'
import type { Service } from './service.ts'

export interface Routes {
  services: ReadonlyMap<string, Service>
  /** The ingress of each Broker, by the Broker's name. */
  brokers: ReadonlyMap<string, RequestListener>
  status: () => Promise<unknown>
  /** In the Prometheus text format. */
  metrics: () => Promise<{ contentType: string; text: string }>
  log: Log
}

/** Handles what comes in on the public port: cluster-local Services are as hidden as those that don't exist. */
export function publicHandler(routes: Routes): RequestListener {
  return guarded(routes, (req, res) => route(publicTarget(req.headers.host), routes, req, res, false))
}

/** Handles what the bank's own parts send each other: the cluster-local gateway. */
export function internalHandler(routes: Routes): RequestListener {
  return guarded(routes, (req, res) => route(internalTarget(req.headers.host), routes, req, res, true))
}

function route(
  target: Target,
  routes: Routes,
  req: IncomingMessage,
  res: ServerResponse,
  internal: boolean,
): void {
  switch (target.kind) {
    case 'service': {
      const service = routes.services.get(target.name)
      if (!service || (service.manifest.clusterLocal && !internal)) return unknown(target.name, req, res)
      return service.handle(req, res, internal)
    }
    case 'broker': {
      const ingress = routes.brokers.get(target.name)
      if (!ingress) return unknown(`${target.name}-broker-ingress`, req, res)
      return ingress(req, res)
    }
    case 'runtime':
      if (req.url === '/metrics') return void answerOwn(req, res, routes.metrics)
      // What runs, and where, is for this machine alone.
      if (internal) return void answerOwn(req, res, () => statusOf(routes))
      return unknown(STATUS_HOST, req, res)
    case 'unknown':
      return unknown(target.host, req, res)
  }
}

async function statusOf({ status }: Routes) {
  return { contentType: 'application/json', text: JSON.stringify(await status()) }
}

async function answerOwn(
  req: IncomingMessage,
  res: ServerResponse,
  tell: () => Promise<{ contentType: string; text: string }>,
): Promise<void> {
  try {
    const { contentType, text } = await tell()
    res.writeHead(200, { 'content-type': contentType }).end(text)
  } catch (error) {
    answerProblem(req, res, gatewayProblems.unavailable, (error as Error).message)
  }
}

function unknown(name: string, req: IncomingMessage, res: ServerResponse): void {
  answerProblem(req, res, gatewayProblems.unknownService, `There is no service ${JSON.stringify(name)} here.`)
}

/** One request that can't be handled must not end the bank. */
function guarded({ log }: Routes, handle: RequestListener): RequestListener {
  return (req, res) => {
    try {
      handle(req, res)
    } catch (error) {
      log.error('a request could not be routed', { error: String(error), host: req.headers.host })
      answerProblem(req, res, gatewayProblems.badRequest, 'The request could not be passed on.')
    }
  }
}

export interface Listener {
  port: number
  /** Accepts nothing new; resolves when every request that is under way has its answer, or at the deadline, when what
   * is left is cut off. */
  stop(deadlineMs: number): Promise<void>
}

/**
 * Opens a port on each of `hosts` (the same port on all).
 * @param option that of the command line by which another port is chosen
 * @throws PortTakenError, with a sentence, where the port is taken
 */
export async function openListener(
  handler: RequestListener,
  port: number,
  hosts: string[],
  option = '--port',
): Promise<Listener> {
  let stopping = false
  const answering: RequestListener = (req, res) => {
    // The connection would otherwise stay open for a next request, which nobody would take.
    if (stopping) res.setHeader('connection', 'close')
    handler(req, res)
  }
  const servers: Server[] = []
  let chosen = port
  for (const host of hosts) {
    const server = createHttpServer(answering)
    try {
      chosen = await listen(server, chosen, host, option)
      servers.push(server)
    } catch (error) {
      // A machine without IPv6 has no ::1; the first host is the one that has to be there.
      if (servers.length > 0 && /EADDRNOTAVAIL|EAFNOSUPPORT/.test(String(error))) continue
      await Promise.all(servers.map((open) => close(open, 0)))
      throw error
    }
  }
  return {
    port: chosen,
    async stop(deadlineMs) {
      stopping = true
      await Promise.all(servers.map((server) => close(server, deadlineMs)))
    },
  }
}

function createHttpServer(handler: RequestListener): Server {
  const server = createServer(
    {
      // A client that sends slower than this is dropped: its connection would be held for nothing.
      headersTimeout: 10_000,
      requestTimeout: 120_000,
      connectionsCheckingInterval: 5000,
      // Longer than any client of ours keeps an idle connection, so that it is the client who closes it.
      keepAliveTimeout: 75_000,
    },
    handler,
  )
  server.on('clientError', refuseMalformed)
  return server
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || (socket as Socket).bytesWritten > 0) {
    socket.destroy()
    return
  }
  const type =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? gatewayProblems.headersTooLarge
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? gatewayProblems.requestTimeout
        : gatewayProblems.badRequest
  const body = JSON.stringify(problem(type, type.title).body)
  socket.end(
    `HTTP/1.1 ${type.status} ${type.title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

export class PortTakenError extends Error {}

function listen(server: Server, port: number, host: string, option: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error)
      reject(
        new PortTakenError(
          `Port ${port} is taken by another program. Choose another: npm start -- ${option} ${port + 10}`,
        ),
      )
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function close(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), deadlineMs)
    server.close(() => {
      clearTimeout(late)
      resolve()
    })
    server.closeIdleConnections()
  })
}
