import { randomUUID } from 'node:crypto'
import type { Operation } from '../../host/operation.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import accounts from '../accounts.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import changeAccount from '../change-account.ts'
import closeAccount from '../close-account.ts'
import freezeAccount from '../freeze-account.ts'
import unfreezeAccount from '../unfreeze-account.ts'
import { testGateway, type TestGateway } from './gateway-fixture.ts'
import { alice, testLedger, type TestLedger } from './ledger-fixture.ts'

/** The functions that change accounts, and `accounts`, on a ledger of their own. */
export interface TestChanges {
  ledger: TestLedger
  gateway: TestGateway
  operatorId: string
  tokens: Record<Caller, string>
  freeze(account: string, options?: Options): Promise<Answer>
  unfreeze(account: string, options?: Options): Promise<Answer>
  close(account: string, options?: Options): Promise<Answer>
  setOverdraft(account: string, limit: unknown, options?: Options): Promise<Answer>
  get(path: string, who?: Caller): Promise<Answer>
  /** Sends a request to another of the functions' routes, or without a token. */
  send(operation: Operation, method: string, path: string, options?: Options): Promise<Answer>
  /** Makes a hold look as if its time were over. */
  makeDue(hold: PostingRequest): Promise<void>
  /** Resolves with the data of the events of a type about an account, when all that are stored have
   * reached the Broker. */
  events(type: string, account: string): Promise<unknown[]>
}

type Caller = 'alice' | 'bob' | 'operator' | 'nobody'

interface Options {
  who?: Caller
  key?: string
  /** Replaces the usual body, which gives a reason. */
  body?: unknown
}

const operations = [accounts, changeAccount, closeAccount, freezeAccount, unfreezeAccount]

/** Prepares the tests of a file: starts the functions, and checks the books and the changes at the end. */
export function useChanges(): TestChanges {
  const changes = {} as TestChanges
  const functions = new Map<Operation, TestFunction>()
  beforeAll(async () => {
    const ledger = await testLedger()
    const gateway = await testGateway()
    const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
    for (const operation of operations) functions.set(operation, await startFunction(operation, env))
    const operatorId = randomUUID()
    const tokens = {
      alice: await token({ userId: alice }),
      bob: await token({ userId: randomUUID() }),
      operator: await token({ userId: operatorId, role: 'operator' }),
      nobody: '',
    }
    Object.assign(changes, { ledger, gateway, operatorId, tokens })
  })
  afterAll(async () => {
    expect([...(await changes.ledger.faults()), ...(await changeFaults(changes.ledger))]).toEqual([])
    for (const running of functions.values()) await running.stop()
    await changes.gateway.close()
    await changes.ledger.close()
  })

  const send: TestChanges['send'] = (operation, method, path, { who = 'operator', key, body } = {}) =>
    functions.get(operation)!.request(method, path, {
      ...(who !== 'nobody' && { token: changes.tokens[who] }),
      ...(method !== 'GET' && { body: body === undefined ? { reason: 'Asked for by phone' } : body }),
      ...(key && { headers: { 'idempotency-key': key } }),
    })
  return Object.assign(changes, {
    send,
    freeze: (account, options) => send(freezeAccount, 'POST', `/accounts/${account}/freeze`, options),
    unfreeze: (account, options) => send(unfreezeAccount, 'POST', `/accounts/${account}/unfreeze`, options),
    close: (account, options) => send(closeAccount, 'POST', `/accounts/${account}/close`, options),
    setOverdraft: (account, limit, options) =>
      send(changeAccount, 'PATCH', `/accounts/${account}`, {
        body: { overdraft_limit: limit, reason: 'Salary comes in each month' },
        ...options,
      }),
    get: (path, who = 'operator') => send(accounts, 'GET', path, { who }),
    async makeDue(hold) {
      // Its expiry never changes, so the triggers must be off.
      await changes.ledger.owner.transaction(async (tx) => {
        await tx.query({ text: 'alter table holds disable trigger append_only_update' })
        await tx.query({ text: 'update holds set expires_at = created_at where id = $1', values: [hold.id] })
        await tx.query({ text: 'alter table holds enable trigger append_only_update' })
      })
    },
    async events(type, account) {
      const stored = await changes.ledger.db.query({
        text: 'select from outbox where type = $1 and subject = $2',
        values: [type, account],
      })
      const published = () =>
        changes.gateway.events.filter(
          ({ headers }) => headers['ce-type'] === type && headers['ce-subject'] === account,
        )
      await until(() => published().length >= stored.length, { what: `the events ${type}` })
      return published().map(({ data }) => data)
    },
  } satisfies Partial<TestChanges>)
}

/** Returns what verify_changes() finds; empty if all is well. */
export const changeFaults = (ledger: TestLedger): Promise<unknown[]> =>
  ledger.owner.query({ text: 'select * from verify_changes()' })

/** Returns the name of a refusal; the status of any other answer. */
export const outcome = ({ status, body }: Answer): unknown =>
  status < 400 ? status : `${status} ${body.type.split('/').at(-1)}`
