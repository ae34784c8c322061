import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { auditsOf } from '../../functions/host/audit/declared.ts'
import type { AnyRoute, Operation } from '../../functions/host/operation.ts'
import { image, multipart, send as upload } from '../../functions/documents/testing/documents-fixture.ts'
import { registerCustomer } from './customers.ts'
import type { Answer } from './host.ts'
import type { LivelyBank } from './lively-bank.ts'
import { operations, read } from './repository.ts'
import { answered, rightRequests, type Parties, type RightRequest } from './right-requests.ts'
import { until } from './until.ts'

/** What each route of each function must do, whatever it is for: it follows from the declarations, so a new
 * route is held to it too. What a right request of it is stands in right-requests.ts; a route that changes
 * something and is not there fails. A test starts every function, and asks a thousand times: that takes
 * minutes on a busy machine. Events that come twice are the last test of tests/features.test.ts. */

interface Declared {
  /** Operation, method and path. */
  key: string
  name: string
  context: string
  route: AnyRoute
}

/** Routes whose right request takes too much to make here, each with the test that has all of this. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'upload-document POST /media/upload': 'functions/documents/upload-document.test.ts',
  'lab POST /lab/runs': 'functions/platform/lab.test.ts',
  'lab DELETE /lab/runs/{id}': 'functions/platform/lab.test.ts',
  'top-ups POST /payments/top-ups/{id}/cancel': 'functions/payments/top-ups.test.ts',
  'top-ups POST /payments/top-ups/{id}/resolve': 'functions/payments/top-ups.test.ts',
  'withdrawals POST /payments/withdrawals/{id}/cancel': 'functions/payments/top-ups.test.ts',
  'withdrawals POST /payments/withdrawals/{id}/resolve': 'functions/payments/top-ups.test.ts',
  'web-hook-deliveries POST /webhooks/{id}/deliveries/{delivery_id}/repeat':
    'functions/payments/web-hooks.test.ts',
}

const nameOf = ({ body }: Answer): string => String(body?.type).split('/').at(-1)!
const random = (): string => randomUUID()

export function eachRoute(lively: () => LivelyBank): void {
  let parties: Parties
  let routes: Declared[]
  /** What is not as it should be, route by route. */
  let wrong: unknown[]

  beforeAll(async () => {
    const { bank, operator, receiver, provider } = lively()
    const [ada, bob] = [await registerCustomer(bank), await registerCustomer(bank)]
    const [checking, savings] = [await ada.openAccount('checking'), await ada.openAccount('savings')]
    const bobs = await bob.openAccount('checking')
    await ada.transact({ type: 'deposit', account_id: checking, amount: '100000.00' })
    const urls = { receiverUrl: receiver.url, pushUrl: `${provider.url}/push` }
    parties = { bank, operator, ada, bob, checking, savings, bobs, ...urls }
    routes = (await operations()).flatMap(({ name, context, routes: declared = [] }: Operation) =>
      declared.map((route) => ({ key: `${name} ${route.method} ${route.path}`, name, context, route })),
    )
  })
  beforeEach(() => void (wrong = []))
  afterEach(() => expect(wrong).toEqual([]))

  interface Asked {
    params?: Record<string, string>
    query?: string
    body?: unknown
    token?: string | undefined
    key?: string
    /** The id of the trace that it belongs to. */
    trace?: string
    headers?: Record<string, string>
  }

  /** Asks the function itself, again while it can't answer now. What the request says nothing of is a random
   * id. */
  const ask = ({ name, route }: Declared, { params = {}, query = '', ...asked }: Asked): Promise<Answer> =>
    answered(() =>
      parties.bank.callHost(
        name,
        route.method,
        route.path.replaceAll(/\{(\w+)\}/g, (_, param: string) => params[param] ?? random()) + query,
        {
          ...(asked.token && { token: asked.token }),
          ...(asked.body !== undefined && { body: asked.body }),
          headers: {
            ...asked.headers,
            ...(asked.key && { 'idempotency-key': asked.key }),
            ...(asked.trace && { traceparent: `00-${asked.trace}-b7ad6b7169203331-01` }),
          },
        },
      ),
    )

  const mayAsk = ({ route: { who } }: Declared): string | undefined =>
    who === 'operator' ? parties.operator : who === 'signed-in' ? parties.ada.token : undefined

  /** Notes what is wrong with an answer. */
  function check({ key }: Declared, what: string, got: unknown, ...allowed: unknown[]): void {
    const text = JSON.stringify(got)
    if (!allowed.some((one) => JSON.stringify(one) === text)) wrong.push({ key, what, got })
  }

  const statusAndName = (answer: Answer) => [answer.status, nameOf(answer)]

  /** Tries some at a time, because most functions have to start. */
  async function inLanes(some: readonly Declared[], work: (one: Declared) => Promise<void>): Promise<void> {
    const left = [...some]
    const lane = async (): Promise<void> => {
      for (let one = left.shift(); one; one = left.shift()) await work(one)
    }
    await Promise.all([lane(), lane(), lane(), lane()])
  }

  /** With no token, and with one that is none. */
  async function tryWithoutToken(declared: Declared): Promise<void> {
    for (const token of [undefined, 'a.b.c']) {
      const answer = await ask(declared, { token })
      check(declared, `with the token ${token}`, statusAndName(answer), [401, 'unauthenticated'])
      if (!answer.headers.get('www-authenticate')) wrong.push([declared.key, 'no WWW-Authenticate'])
    }
  }

  /** As a user for whom it is not. */
  async function tryInWrongRole(declared: Declared): Promise<void> {
    const { ada, operator } = parties
    const { who } = declared.route
    if (who === 'operator') {
      const answer = await ask(declared, { token: ada.token })
      check(declared, 'by a customer', statusAndName(answer), [403, 'forbidden'])
    } else if (who === 'contexts')
      for (const token of [ada.token, operator]) {
        const answer = await ask(declared, { token })
        check(declared, 'by a user', statusAndName(answer), [401, 'unauthenticated'], [403, 'forbidden'])
      }
  }

  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const badBodies: [what: string, body: unknown, headers: Record<string, string>, status: number][] = [
    ['a body that is no JSON', '{"a"', {}, 400],
    ['a body that is a list', [], {}, 400],
    ['a body with an unknown field', { 'no such field': 1 }, {}, 400],
    ['a body of another content type', 'a=b', form, 415],
  ]

  async function tryBadBodies(declared: Declared): Promise<void> {
    for (const [what, body, headers, status] of badBodies) {
      const answer = await ask(declared, { token: mayAsk(declared), body, headers })
      check(declared, what, answer.status, status)
      check(declared, what, answer.headers.get('content-type'), 'application/problem+json')
    }
  }

  test('it refuses whoever may not call it, and bad bodies', async () => {
    const taking = ({ route }: Declared): boolean => route.body !== undefined && route.who !== 'contexts'
    expect(routes.filter(taking).length).toBeGreaterThan(40)
    await inLanes(routes, async (declared) => {
      if (declared.route.who !== 'anyone') await tryWithoutToken(declared)
      await tryInWrongRole(declared)
      if (taking(declared)) await tryBadBodies(declared)
    })
  }, 900_000)

  /** Makes ids of ada's things, by the beginning of the paths that show them. */
  async function thingsOfAda(): Promise<Record<string, string>> {
    const { bank, ada, checking } = parties
    const made = async (key: string): Promise<string> => {
      const declared = routes.find((route) => route.key === key)!
      const { params, body } = await rightRequests[key]!(parties)
      const answer = await ask(declared, { ...(params && { params }), body, token: ada.token })
      if (answer.status >= 300) throw new Error(`${key}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return (answer.body.id ?? answer.body.batch_id) as string
    }
    const transaction = await made('deposit POST /transactions')
    const notifications = () => bank.call('GET', '/api/notifications', { token: ada.token })
    const document = await upload(bank.url, multipart([{ content: await image('png') }]), {
      token: ada.token,
      path: '/api/media/upload',
    })
    return {
      '/accounts/{id}': checking,
      '/holds/{id}': await made('place-hold POST /holds'),
      '/transactions/{id}': transaction,
      '/orders/{id}': await made('create-order POST /orders'),
      '/payments/{id}': await made('create-payment POST /payments/create'),
      '/payments/payout/{batch_id}': await made('create-payout POST /payments/payout'),
      '/payments/top-ups/{id}': await made('top-ups POST /payments/top-ups'),
      '/payments/withdrawals/{id}': await made('withdrawals POST /payments/withdrawals'),
      '/webhooks/{id}': await made('create-web-hook POST /webhooks'),
      '/users/{id}': ada.id,
      '/media/{public_id}': document.body.public_id as string,
      '/notifications/{id}': await until(
        async () => (await notifications()).body.items?.[0]?.id as string | undefined,
        { what: 'a notification' },
      ),
      // Nobody owns an event; each is shown what it told themselves.
      '/notifications/by-event/{event_id}': '',
    }
  }

  test('another customer’s things are answered as if they were not there', async () => {
    const { ada, bob, checking } = parties
    const things = await thingsOfAda()
    const showing = routes.filter(({ route: { method, who } }) => method === 'GET' && who === 'signed-in')
    for (const declared of showing.filter(({ route }) => route.path.includes('{'))) {
      const { path } = declared.route
      const prefix = Object.keys(things).find((start) => path === start || path.startsWith(`${start}/`))
      if (prefix === undefined) wrong.push([declared.key, 'nothing to show'])
      const id = things[prefix ?? '']
      if (!id) continue
      const params = { [/\{(\w+)\}/.exec(path)![1]!]: id }
      const [mine, theirs, nobodys] = [
        await ask(declared, { params, token: ada.token }),
        await ask(declared, { params, token: bob.token }),
        await ask(declared, { token: bob.token }),
      ]
      check(declared, 'to its owner', mine.status === 404, false)
      check(declared, 'to another customer', theirs.status, 404)
      check(declared, 'to another customer', statusAndName(theirs), statusAndName(nobodys))
    }
    for (const declared of showing)
      for (const [name, id] of Object.entries({ user_id: ada.id, account_id: checking }))
        if (name in ((declared.route.query as { properties?: object } | undefined)?.properties ?? {})) {
          const { status, body } = await ask(declared, { query: `?${name}=${id}`, token: bob.token })
          check(declared, `with ${name}`, status === 404 || body.items?.length === 0, true)
        }
  }, 900_000)

  /** Counts what requests of a trace have changed, by the audit of the function's own context. */
  async function changesOf({ context }: Declared, trace: string): Promise<number> {
    const text = `select count(*)::int as count from audit_log where trace_id = '${trace}'`
    return (await parties.bank.sql<{ count: number }>(context, text))[0]!.count
  }

  const isAudited = ({ route }: Declared): boolean => ['change', 'books'].includes(String(auditsOf(route)))
  const newTrace = (): string => random().replaceAll('-', '')

  /** Sends a right request as another customer, who must learn and change nothing. */
  async function tryAsOther(declared: Declared, { toOthers, ...request }: RightRequest): Promise<void> {
    const trace = newTrace()
    const other = await ask(declared, { ...request, token: parties.bob.token, key: random(), trace })
    const { status, body = {}, changes = 0 } = typeof toOthers === 'object' ? toOthers : { status: 404 }
    check(declared, 'by another customer', other.status, status)
    expect(other.body).toMatchObject(body)
    check(declared, 'what another customer changed', await changesOf(declared, trace), changes)
  }

  /** Sends a right request with one key: from three sides at once, again, and with other content. */
  async function repeat(declared: Declared, request: RightRequest, token: string | undefined): Promise<void> {
    const content = await rightRequests[declared.key]!(parties)
    const [key, trace] = [random(), newTrace()]
    const given = { token, key, trace }
    const all = await Promise.all([1, 2, 3].map(() => ask(declared, { ...request, ...given })))
    const first = all.filter((one) => !(one.status === 409 && nameOf(one) === 'idempotency-key-in-use'))
    const again = await ask(declared, { ...request, ...given })
    for (const { status, body } of first)
      check(declared, 'at once', [status, isDeepStrictEqual(body, again.body)], [again.status, true])
    check(declared, 'a right request', again.status < 300 || again.body, true)
    check(declared, 'again', again.headers.get('idempotency-replayed'), 'true')
    const reused = await ask(declared, { ...content, ...given })
    // A stranger's key holds only for the same content.
    if (token === undefined) check(declared, 'other content', reused.status < 300, true)
    else check(declared, 'other content', statusAndName(reused), [422, 'idempotency-key-reused'])
    if (isAudited(declared))
      check(declared, 'changes', await changesOf(declared, trace), token === undefined ? 2 : 1)
  }

  test('what changes something is nobody else’s to do, and has one effect for one key', async () => {
    const changing = routes.filter(
      ({ key, route: { method, who, idempotent } }) =>
        method !== 'GET' && who !== 'contexts' && (who !== 'anyone' || idempotent) && !(key in ELSEWHERE),
    )
    const known = [...Object.keys(rightRequests), ...Object.keys(ELSEWHERE)]
    const missing = changing.filter(({ key }) => !known.includes(key)).map(({ key }) => key)
    const unknown = known.filter((name) => !routes.some(({ key }) => key === name))
    expect({ missing, unknown }).toEqual({ missing: [], unknown: [] })
    // Throws if a file is gone.
    for (const file of Object.values(ELSEWHERE)) read(file)
    await inLanes(changing, async (declared) => {
      const { who, idempotent } = declared.route
      const { owner, ...request } = await rightRequests[declared.key]!(parties)
      const token = owner?.token ?? mayAsk(declared)
      if (who === 'signed-in' && request.toOthers !== 'the same') await tryAsOther(declared, request)
      if (idempotent) return repeat(declared, request, token)
      const answer = await ask(declared, { ...request, token })
      check(declared, 'a right request', answer.status < 300 || answer.body, true)
    })
  }, 900_000)
}
