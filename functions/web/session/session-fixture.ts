import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { catalogueOf } from '../../host/catalogue.ts'
import { testDatabase } from '../../../tests/support/databases.ts'
import { startFunction, type Answer, type RequestOptions } from '../../../tests/support/host.ts'
import { operations } from '../../../tests/support/repository.ts'

export const HOST = 'localhost:8080'
export const OURS = `http://${HOST}`
export const PASSWORD = 'grey herons wade slowly'
export const PUBLIC_URL = 'https://bank.example'
/** What the runtime of a laptop asks for. */
export const DEMO_KEY = 'a key of the runtime'

/** The functions of identity that the front door calls for browsers, and those that make users. */
const IDENTITY = ['register', 'login', 'refresh-session', 'logout', 'users']

/** What a function got. */
export interface Seen {
  host: string
  method: string
  url: string
  headers: IncomingMessage['headers']
}

/** The front door over the real functions of identity and their database. Every other function answers with
 * nothing, and is recorded. */
export interface Doorway {
  seen: Seen[]
  /** How other functions answer. */
  behave: (request: IncomingMessage, response: ServerResponse) => void
  url: string
  /** Sends a request as a page of the bank would. */
  page(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** Sends a request as it is. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** Registers a customer and signs them in. Returns their cookies by name, and the answer. */
  signIn(name: string): Promise<{ email: string; jar: Record<string, string>; answer: Answer }>
  /** Makes a function unreachable, or reachable again. */
  cutOff(service: string | undefined): void
  stop(): Promise<void>
}

export async function startDoorway(env: Record<string, string> = {}): Promise<Doorway> {
  const { url, drop } = await testDatabase('identity')
  const all = await operations()
  const running = new Map(
    await Promise.all(
      all
        .filter(({ name }) => IDENTITY.includes(name))
        .map(async (operation) => {
          const settings = { IDENTITY_DATABASE_URL: url, BROKER_URL: 'http://127.0.0.1:1/', ...env }
          return [operation.name, await startFunction(operation, settings)] as const
        }),
    ),
  )
  let cut: string | undefined
  const doorway = { seen: [] as Seen[], behave: echo }
  const gateway = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request
    const [service = ''] = (headers.host ?? '').split('.')
    doorway.seen.push({ host: service, method, url: path, headers })
    if (service === cut) return void response.destroy()
    const real = running.get(service)
    if (!real) return doorway.behave(request, response)
    void passOn(request, response, real.request)
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const frontDoor = all.find(({ name }) => name === 'front-door')!
  const door = await startFunction(
    frontDoor,
    { LOCAL_GATEWAY, TRUSTED_HOPS: '1', PUBLIC_URL, DEMO_KEY },
    catalogueOf(all),
  )

  const request: Doorway['request'] = (method, path, { headers, ...rest } = {}) =>
    door.request(method, path, { ...rest, headers: { host: HOST, ...headers } })
  const page: Doorway['page'] = (method, path, { headers, ...rest } = {}) =>
    request(method, path, {
      ...rest,
      headers: { origin: OURS, 'sec-fetch-site': 'same-origin', ...headers },
    })

  return Object.assign(doorway, {
    ...{ url: door.url, page, request },
    async signIn(name: string) {
      const email = `${name.toLowerCase()}@example.com`
      const registered = await page('POST', '/api/auth/register', {
        body: { name, email, password: PASSWORD },
      })
      if (registered.status !== 201) throw new Error(JSON.stringify(registered.body))
      const answer = await page('POST', '/api/session', { body: { email, password: PASSWORD } })
      return { email, answer, jar: jarOf(answer) }
    },
    cutOff: (service: string | undefined) => void (cut = service),
    async stop() {
      await door.stop()
      await Promise.all([...running.values()].map((each) => each.stop()))
      gateway.closeAllConnections()
      gateway.close()
      await drop()
    },
  })
}

/** The cookies that an answer sets, as a browser sends them, by name. Removed ones are left out. */
export const jarOf = (answer: Answer): Record<string, string> =>
  Object.fromEntries(
    setCookies(answer).flatMap((line) => {
      const [, name, value] = /^([^=]+)=([^;]*);/.exec(line)!
      return value === '' ? [] : [[name!, value!]]
    }),
  )

export const setCookies = ({ headers }: Answer): string[] =>
  (headers.get('set-cookie') ?? '').split(/,(?=[^ ]+=)/).filter((line) => line !== '')

/** The header Cookie with these cookies. */
export const cookie = (jar: Record<string, string>): { cookie: string } => ({
  cookie: Object.entries(jar)
    .map(([name, value]) => `${name}=${value}`)
    .join('; '),
})

const echo = (_request: IncomingMessage, response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end('{}')

async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  send: Doorway['request'],
): Promise<void> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name]) => !['content-length', 'transfer-encoding'].includes(name),
    ),
  ) as Record<string, string>
  const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const answer = await send(request.method!, request.url!, {
    ...(body && { body }),
    headers: { ...headers, ...length },
  })
  const given = Object.fromEntries(
    [...answer.headers].filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding'),
  )
  response.writeHead(answer.status, given)
  response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
}
