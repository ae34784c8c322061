import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '../../../monitoring/log.ts'
import { receiveReport, receiveSpans, type Meter } from '../../../monitoring/meter/meter.ts'
import { misframed, originForm } from '../../../functions/host/http/framing.ts'
import { createHttpServer } from '../../../functions/host/http/http-server.ts'
import { makeLast } from '../../../functions/host/http/last-answer.ts'
import { internalTarget, publicTarget, STATUS_HOST, type HostTarget } from './hosts.ts'
import { mayPublish } from './ingress-token.ts'
import { isLoopback } from './loopback.ts'
import { answerProblem, gatewayProblems } from './problem.ts'
import type { Service } from '../serving/service.ts'

/**
 * What the runtime tells of itself, by path. Undefined means that there is no such thing, and is answered
 * with 404.
 */
export type OwnAnswers = ReadonlyMap<string, OwnAnswer>
export type OwnAnswer = (query: URLSearchParams) => Promise<object | undefined>

export interface Routes {
  services: ReadonlyMap<string, Service>
  /** The ingress of each Broker, by the Broker's name. */
  brokers: ReadonlyMap<string, RequestListener>
  /** The token that clients of other machines must send to an ingress on the public port. */
  ingressToken?: string
  status: () => Promise<unknown>
  /** What the runtime tells besides its status, to the bank's own parts alone. */
  own?: OwnAnswers
  /** Handlers for functions that have a secret of the runtime, by the first segment of the path. */
  doors?: Map<string, RequestListener>
  /** Answers queries by the Prometheus that watches this bank. */
  prometheus?: RequestListener
  /** Takes the reports and spans of processes, and has all metrics and the last spans. */
  meter: Pick<Meter, 'take' | 'expose' | 'spans'>
  log: Log
}

/**
 * Handles requests on the public port. A cluster-local Service gets the same answer as one that doesn't
 * exist.
 */
export function publicHandler(routes: Routes): RequestListener {
  return guarded(routes, (request, response) =>
    route(publicTarget(request.headers.host), routes, request, response, false),
  )
}

/** Handles requests between the bank's own parts: this is the cluster-local gateway. */
export function internalHandler(routes: Routes): RequestListener {
  return guarded(routes, (request, response) =>
    route(internalTarget(request.headers.host), routes, request, response, true),
  )
}

function route(
  target: HostTarget,
  routes: Routes,
  request: IncomingMessage,
  response: ServerResponse,
  internal: boolean,
): void {
  switch (target.kind) {
    case 'service': {
      const service = routes.services.get(target.name)
      if (!service || (service.manifest.clusterLocal && !internal))
        return unknown(target.name, request, response)
      return service.handle(request, response, internal)
    }
    case 'broker': {
      const ingress = routes.brokers.get(target.name)
      if (!ingress) return unknown(`${target.name}-broker-ingress`, request, response)
      if (!internal && !mayPublish(request, routes.ingressToken)) return unauthenticated(request, response)
      return ingress(request, response)
    }
    case 'meter':
      if (TRACE.test(request.url!)) return answerTrace(request, response, routes)
      if (request.url === '/v1/traces') return receiveSpans(routes.meter, request, response)
      return receiveReport(routes.meter, request, response)
    case 'prometheus':
      if (!routes.prometheus) return unknown(target.kind, request, response)
      return routes.prometheus(request, response)
    case 'runtime':
      // Only this machine may learn what runs, and where.
      if (request.url === '/metrics' && isLoopback(request.socket.remoteAddress))
        return void answerOwn(request, response, routes, () => routes.meter.expose(request.headers.accept))
      if (TRACE.test(request.url!) && isLoopback(request.socket.remoteAddress))
        return answerTrace(request, response, routes)
      if (!internal) return unknown(STATUS_HOST, request, response)
      return tellInside(request, response, routes)
    case 'unknown':
      return unknown(target.host, request, response)
  }
}

function tellInside(request: IncomingMessage, response: ServerResponse, routes: Routes): void {
  const door = routes.doors?.get(request.url!.split('/')[1]!)
  if (door) door(request, response)
  else void answerOwn(request, response, routes, () => tell(request, routes))
}

async function tell({ url = '/' }: IncomingMessage, { status, own }: Routes): Promise<OwnText | undefined> {
  const { pathname, searchParams } = new URL(url, 'http://any')
  const told = await (own?.get(pathname) ?? status)(searchParams)
  return told === undefined ? undefined : { contentType: 'application/json', text: JSON.stringify(told) }
}

interface OwnText {
  contentType: string
  text: string
}

const TRACE = /^\/traces\/([0-9a-f]{32})$/

function answerTrace(request: IncomingMessage, response: ServerResponse, routes: Routes): void {
  const [, id = ''] = TRACE.exec(request.url!)!
  const read = async () => ({ contentType: 'application/json', text: routes.meter.spans.trace(id) })
  void answerOwn(request, response, routes, read)
}

async function answerOwn(
  request: IncomingMessage,
  response: ServerResponse,
  { log }: Routes,
  read: () => Promise<OwnText | undefined>,
): Promise<void> {
  try {
    const told = await read()
    if (!told) return unknown(request.url ?? '', request, response)
    response.writeHead(200, { 'content-type': told.contentType }).end(told.text)
  } catch (error) {
    log.error('the runtime could not report its state', { error: (error as Error).message })
    answerProblem(request, response, gatewayProblems.unavailable, 'The log of the runtime says why.')
  }
}

function unauthenticated(request: IncomingMessage, response: ServerResponse): void {
  const detail =
    'From the network, events need the ingressToken of the data folder’s secrets.json as a Bearer token.'
  answerProblem(request, response, gatewayProblems.unauthenticated, detail, { 'www-authenticate': 'Bearer' })
}

function unknown(name: string, request: IncomingMessage, response: ServerResponse): void {
  answerProblem(
    request,
    response,
    gatewayProblems.unknownService,
    `There is no service ${JSON.stringify(name)} here.`,
  )
}

/**
 * Refuses requests that two hops could understand differently. Catches every error, because one request must
 * not end the bank.
 */
function guarded({ log }: Routes, handle: RequestListener): RequestListener {
  return (request, response) => {
    try {
      const path = originForm(request)
      const wrong =
        misframed(request) ??
        (path === undefined ? 'The URL must be a path, or name the same host.' : undefined)
      if (wrong !== undefined) {
        makeLast(response)
        return answerProblem(request, response, gatewayProblems.badRequest, wrong)
      }
      request.url = path
      handle(request, response)
    } catch (error) {
      log.error('a request could not be routed', { error: String(error), host: request.headers.host })
      answerProblem(request, response, gatewayProblems.badRequest, 'The request could not be passed on.')
    }
  }
}

export interface Listener {
  port: number
  /**
   * Accepts no new connections. Resolves when every open request has its answer. At the deadline it cuts off
   * the rest.
   */
  stop(deadlineMs: number): Promise<void>
}

/**
 * Opens the same port on each of `hosts`.
 * @param option the option of the command line that chooses another port
 * @throws PortTakenError, with a sentence, if the port is taken
 */
export async function openListener(
  handler: RequestListener,
  port: number,
  hosts: string[],
  option = '--port',
): Promise<Listener> {
  let stopping = false
  const answering: RequestListener = (request, response) => {
    // Otherwise the connection would stay open for a next request, which nobody would handle.
    if (stopping) response.setHeader('connection', 'close')
    handler(request, response)
  }
  const servers: Server[] = []
  let chosen = port
  for (const host of hosts) {
    // Longer than any of our clients keeps an idle connection, so that the client closes it.
    const server = createHttpServer({ keepAliveTimeout: 75_000 }, answering)
    try {
      chosen = await listen(server, chosen, host, option)
      servers.push(server)
    } catch (error) {
      // A machine without IPv6 has no ::1. Only the first host is required.
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
