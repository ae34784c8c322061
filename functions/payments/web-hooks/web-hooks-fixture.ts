import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EventContract } from '../../../eventing/contracts/contract.ts'
import { webhookQueued } from '../../../eventing/contracts/webhook.queued.ts'
import { binaryHeaders } from '../../../eventing/http-binding.ts'
import { createLog } from '../../../monitoring/log.ts'
import { testDatabase } from '../../../tests/support/databases.ts'
import { deliverEvent, deliverExample } from '../../../tests/support/events.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import { openDatabase, type Database } from '../../host/database/database.ts'
import type { Operation } from '../../host/operation.ts'
import { testLedger, type TestLedger } from '../../ledger/testing/ledger-fixture.ts'
import watchPostings from '../../ledger/watch-postings.ts'
import { testRouter, type TestRouter } from '../testing/gateway-fixture.ts'

/** A request that a receiver got. */
export interface Received {
  path: string
  headers: Record<string, string>
  body: string
}

export interface Receiver {
  url: string
  received: Received[]
  /** What it answers. A function may take its time, or never answer. */
  answer: (response: http.ServerResponse, request: Received) => void
  close(): Promise<void>
}

/** Starts an HTTP server that keeps what it gets. It answers 204 until told otherwise. */
export async function startReceiver(host = '127.0.0.1', port = 0): Promise<Receiver> {
  const received: Received[] = []
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = request.headers as Record<string, string>
      const got = { path: request.url ?? '', headers, body: Buffer.concat(chunks).toString() }
      received.push(got)
      receiver.answer(response, got)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  const receiver: Receiver = {
    url: `http://${host}:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer: (response) => response.writeHead(204).end(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return receiver
}

export interface HooksBank {
  db: Database
  /** Statements of a superuser. */
  owner: Database
  /** The ledger, which watches the owners of hooks, and the gateway before it. */
  ledger: TestLedger
  gateway: TestRouter
  create(bearer: string, body?: object, key?: string): Promise<Answer>
  hooks: TestFunction
  rotating: TestFunction
  deliveries: TestFunction
  /** Delivers an event to queue-web-hooks, as the Broker does. */
  tell(
    contract: EventContract<object>,
    data?: object,
    options?: { id?: string; signedBy?: string },
  ): Promise<Answer>
  /** Delivers webhook.queued to deliver-web-hooks, as the Broker does, and waits until it is done. */
  deliver(hookId: string): Promise<Answer>
  /** Runs the sweep, as the PingSource does. */
  sweep(): Promise<Answer>
  /** Resolves with the data of the events of a type about a hook. */
  events(type: string, subject: string): Promise<object[]>
  /** Makes everything that waits for a hook due now. */
  hasten(hookId: string): Promise<void>
  close(): Promise<void>
}

/** The functions of web hooks: create-web-hook, web-hooks, rotate-web-hook-secret, web-hook-deliveries,
 * queue-web-hooks, deliver-web-hooks and sweep-payments. */
export type HookOperations = readonly [
  creating: Operation,
  hooks: Operation,
  rotating: Operation,
  deliveries: Operation,
  queueing: Operation,
  delivering: Operation,
  sweeping: Operation,
]

/** Starts the functions of web hooks over a database of their own. */
export async function startHooksBank(
  operations: HookOperations,
  env: Record<string, string> = {},
): Promise<HooksBank> {
  const database = await testDatabase('payments')
  const log = createLog({}, 'error')
  const db = openDatabase({ url: database.url, poolMax: 2, name: 'test', log })
  const owner = openDatabase({ url: database.superuserUrl, poolMax: 2, name: 'test', log })
  const [ledger, gateway] = [await testLedger(), await testRouter()]
  await gateway.start(watchPostings, { LEDGER_DATABASE_URL: ledger.database.url })
  const settings = {
    PAYMENTS_DATABASE_URL: database.url,
    LOCAL_GATEWAY: gateway.address,
    BROKER_URL: 'http://127.0.0.1:9/',
    WEB_HOOK_PRIVATE_ADDRESSES: 'allowed',
    ...env,
  }
  const started = await Promise.all(operations.map((operation) => startFunction(operation, settings)))
  const [creating, hooks, rotating, deliveries, queueing, delivering, sweeping] = started as [
    TestFunction,
    TestFunction,
    TestFunction,
    TestFunction,
    TestFunction,
    TestFunction,
    TestFunction,
  ]
  return {
    ...{ db, owner, ledger, gateway, hooks, rotating, deliveries },
    create: (bearer, body = {}, key) =>
      creating.request('POST', '/webhooks', {
        token: bearer,
        body: { url: 'http://127.0.0.1:9/hook', types: ['transaction.completed'], ...body },
        ...(key && { headers: { 'idempotency-key': key } }),
      }),
    tell: (contract, data = {}, { id, signedBy } = {}) =>
      deliverExample(queueing, contract, data, { id, signedBy, time: '2026-01-05T09:30:00.000Z' }),
    deliver: (id) => deliverEvent(delivering, webhookQueued as EventContract, { web_hook_id: id }),
    sweep: () =>
      sweeping.request('POST', '/events', {
        body: {},
        headers: {
          host: 'sweep-payments.bank.svc.cluster.local',
          ...binaryHeaders({ specversion: '1.0', id: randomUUID(), type: 'ping', source: '/test' }),
        },
      }),
    async events(type, subject) {
      const text = 'select data from outbox where type = $1 and subject = $2 order by id'
      return (await db.query<{ data: object }>({ text, values: [type, subject] })).map(({ data }) => data)
    },
    async hasten(id) {
      await owner.query({
        text: 'update web_hook_deliveries set next_attempt_at = now(), claimed_at = null where web_hook_id = $1',
        values: [id],
      })
      await owner.query({ text: 'update web_hooks set blocked_until = null where id = $1', values: [id] })
    },
    async close() {
      for (const each of started) await each.stop()
      await gateway.close()
      await ledger.close()
      await db.close()
      await owner.close()
      await database.drop()
    },
  }
}

/** Returns the id and a token of a new user. */
export async function newUser(role: 'customer' | 'operator' = 'customer') {
  const id = randomUUID()
  return { id, token: await token({ userId: id, role }) }
}
