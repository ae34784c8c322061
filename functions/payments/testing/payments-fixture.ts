import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { testDatabase } from '../../../tests/support/databases.ts'
import { deliverTick } from '../../../tests/support/events.ts'
import {
  request,
  startFunction,
  token,
  type Answer,
  type RequestOptions,
  type TestFunction,
} from '../../../tests/support/host.ts'
import { openDatabase, type Database } from '../../host/database/database.ts'
import type { Operation } from '../../host/operation.ts'
import users from '../../identity/users.ts'
import accounts from '../../ledger/accounts.ts'
import captureHold from '../../ledger/capture-hold.ts'
import holds from '../../ledger/holds.ts'
import placeHold from '../../ledger/place-hold.ts'
import releaseHold from '../../ledger/release-hold.ts'
import { silent, testLedger, type TestLedger } from '../../ledger/testing/ledger-fixture.ts'
import transactions from '../../ledger/transactions.ts'

/** What goes wrong with one call to another function: it dies before or after the function has done its work,
 * or the answer is this one. */
export type Fault = 'before' | 'after' | ((answer: Answer) => { status: number; body: unknown })

/** The functions of payments, and the real ledger and identity behind a gateway that can go wrong. */
export interface TestPayments {
  ledger: TestLedger
  db: Database
  owner: Database
  identity: Database
  functions: Record<'create' | 'execute' | 'cancel' | 'payments' | 'sweep', TestFunction>
  /** Decides what goes wrong with a call to `operation`. */
  fault: (operation: string) => Fault | undefined
  /** Calls to other functions so far. */
  calls: string[]
  events: { type: string; data: Record<string, unknown> }[]
  post(name: 'create' | 'execute' | 'cancel', body: unknown, sent?: Sent): Promise<Answer>
  get(path: string, userId?: string): Promise<Answer>
  /** Sends a request to a function of the ledger, past payments. */
  callLedger(operation: string, path: string, options: RequestOptions): Promise<Answer>
  /** Sends the event of a PingSource to sweep-payments. */
  ping(): Promise<void>
  /** Sets back when payments were taken up, as if a minute had passed. */
  letAMinutePass(): Promise<void>
  stop(): Promise<void>
}

export interface Sent {
  userId?: string
  key?: string
  bearer?: string
}

export const payer = randomUUID()

export async function testPayments(
  operations: Record<keyof TestPayments['functions'], Operation>,
): Promise<TestPayments> {
  const ledger = await testLedger()
  const [own, people] = [await testDatabase('payments'), await testDatabase('identity')]
  const options = { poolMax: 5, name: 'payments-test', log: silent }
  const db = openDatabase({ url: own.url, ...options })
  const owner = openDatabase({ url: own.ownerUrl, ...options })
  const identity = openDatabase({ url: people.ownerUrl, ...options })
  const running = new Map<string, TestFunction>()
  const bank: Pick<TestPayments, 'fault' | 'calls' | 'events'> = {
    fault: () => undefined,
    calls: [],
    events: [],
  }
  const gateway = http.createServer((incoming, response) => void pass(incoming, response, running, bank))
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const start = async (operation: Operation): Promise<TestFunction> => {
    const started = await startFunction(operation, {
      LEDGER_DATABASE_URL: ledger.database.url,
      PAYMENTS_DATABASE_URL: own.url,
      IDENTITY_DATABASE_URL: people.url,
      LOCAL_GATEWAY: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
      OPERATOR_EMAIL: 'root@bank.example',
    })
    running.set(operation.name, started)
    return started
  }
  for (const operation of [accounts, captureHold, holds, placeHold, releaseHold, transactions, users])
    await start(operation)
  const functions = {
    create: await start(operations.create),
    execute: await start(operations.execute),
    cancel: await start(operations.cancel),
    payments: await start(operations.payments),
    sweep: await start(operations.sweep),
  }
  return Object.assign(bank, {
    ...{ ledger, db, owner, identity, functions },
    async post(name: 'create' | 'execute' | 'cancel', body: unknown, sent: Sent = {}) {
      const { userId = payer, key, bearer = await token({ userId }) } = sent
      const headers = key === undefined ? {} : { 'idempotency-key': key }
      return functions[name].request('POST', `/payments/${name}`, { token: bearer, body, headers })
    },
    get: async (path: string, userId = payer) =>
      functions.payments.request('GET', path, { token: await token({ userId }) }),
    callLedger: (operation: string, path: string, options: RequestOptions) =>
      running.get(operation)!.request('POST', path, options),
    async ping() {
      const { status } = await deliverTick(functions.sweep, 'sweep-payments')
      if (status !== 204) throw new Error(`sweep-payments answered ${status}`)
    },
    async letAMinutePass() {
      await owner.query({
        text: `update payments set taken_at = taken_at - interval '61 seconds'
        where status::text like '%ing'`,
      })
    },
    async stop() {
      for (const each of running.values()) await each.stop()
      gateway.closeAllConnections()
      await new Promise((resolve) => gateway.close(resolve))
      for (const each of [db, owner, identity]) await each.close()
      await own.drop()
      await people.drop()
      await ledger.close()
    },
  })
}

/** Passes a call on to the function that its Host header names, or does to it what goes wrong. */
async function pass(
  incoming: http.IncomingMessage,
  response: http.ServerResponse,
  running: Map<string, TestFunction>,
  bank: Pick<TestPayments, 'fault' | 'calls' | 'events'>,
): Promise<void> {
  let body = ''
  for await (const chunk of incoming) body += chunk
  const name = (incoming.headers.host ?? '').split('.')[0]!
  const called = running.get(name)
  if (!called) {
    // The Broker.
    bank.events.push({ type: String(incoming.headers['ce-type']), data: JSON.parse(body) })
    return void response.writeHead(202).end()
  }
  bank.calls.push(name)
  const fault = bank.fault(name)
  if (fault === 'before') return void response.destroy()
  const { host: _host, 'content-length': _length, connection: _connection, ...headers } = incoming.headers
  const answer = await request(incoming.method!, called.url + incoming.url, {
    headers: headers as Record<string, string>,
    ...(body !== '' && { body }),
  })
  if (fault === 'after') return void response.destroy()
  const given = fault ? fault(answer) : answer
  const type = answer.headers.get('content-type')
  response.writeHead(given.status, { ...(type && { 'content-type': type }) })
  response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body))
}
