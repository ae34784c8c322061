import { randomUUID } from 'node:crypto'
import type { Bank } from './bank.ts'
import { registerCustomer, type Customer } from './customers.ts'
import type { Answer } from './host.ts'
import { until } from './until.ts'

/** A right request of each route that changes something or names something that somebody owns. Each is made
 * anew, with content of its own. tests/support/each-route.ts sends it as the wrong user, twice at once, and
 * so on; it fails if a route is missing here. */

/** Whose things the requests are about. Each has accounts of their own. */
export interface Parties {
  bank: Bank
  /** The owner. */
  ada: Customer
  /** Another customer. */
  bob: Customer
  operator: string
  checking: string
  savings: string
  bobs: string
  /** Takes what web hooks post. */
  receiverUrl: string
  /** Where browsers get pushes. */
  pushUrl: string
}

export interface RightRequest {
  params?: Record<string, string>
  query?: string
  body?: Record<string, unknown>
  /** Who may send it, if it is neither the owner nor an operator. */
  owner?: Customer
  /** What another customer gets: 404 if this is missing. 'the same' if nothing in it is anybody's. */
  toOthers?: 'the same' | { status: number; body?: object; changes?: number }
}

type Make = (parties: Parties) => Promise<RightRequest> | RightRequest

let made = 0
const reason = (): string => `asked for by phone ${++made}`
/** Whole dollars: the sandbox provider does as it likes with some cents. */
const amount = (): string => `${1 + (++made % 90)}.00`

/** Asks again while a busy machine can't answer now: 503 and 504 ask for it. */
export const answered = (ask: () => Promise<Answer>): Promise<Answer> =>
  until(async () => {
    const answer = await ask()
    if (![503, 504].includes(answer.status)) return answer
    throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  })

/** Sends a request that must succeed, and resolves with its answer's body. */
async function must(
  { bank, ada }: Parties,
  method: string,
  path: string,
  body: object | undefined,
  token = ada.token,
  // Tests know what they asked for.
  // oxlint-disable-next-line typescript/no-explicit-any
): Promise<any> {
  const answer = await answered(() => bank.call(method, `/api${path}`, { token, ...(body && { body }) }))
  if (answer.status >= 300)
    throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

const money = (p: Parties, more: object = {}) => ({
  account_id: p.checking,
  amount: amount(),
  ...more,
})
const described = (p: Parties, more: object = {}) => money(p, { description: reason(), ...more })
const idOf = async (p: Parties, path: string, body: object, token?: string): Promise<{ id: string }> => ({
  id: (await must(p, 'POST', path, body, token)).id,
})
const newAccount = ({ ada }: Parties) => ada.openAccount('checking')
const newHold = (p: Parties) => idOf(p, '/holds', money(p))
const newPayment = async (p: Parties) => ({
  payment_id: (await idOf(p, '/payments/create', money(p, { payee_account_id: p.bobs }))).id,
})
const schedule = { every: 'month', on: 31, time_zone: 'Europe/Berlin' }
const newOrder = (p: Parties) => idOf(p, '/orders', money(p, { to_account_id: p.savings, schedule }))
/** It is stored, as the asker's own, before the ledger is asked, and fails. */
const failed = { status: 404, changes: 1 }
const payee = { payee_name: 'Ada', payee_account: 'DE89370400440532013000' }
const hook = (p: Parties) => ({ url: `${p.receiverUrl}/${reason().replaceAll(' ', '-')}` })
const newHook = (p: Parties) => idOf(p, '/webhooks', { ...hook(p), types: ['payment.executed'] })
const newStatement = (p: Parties) => ({
  ...{ account_id: p.checking, format: 'csv' },
  from: new Date(Date.UTC(2025, 0, 1, ++made)).toISOString(),
  to: '2026-01-01',
})

/** Stores dead letters that no Trigger delivers if they are sent again. */
async function deadLetters({ bank }: Parties, count: number): Promise<string[]> {
  const rows = await bank.sql<{ id: string }>(
    'notifications',
    `insert into dead_letters (event_source, event_id, event_type, event, destination, digest, group_id)
      select '/poison', gen_random_uuid(), 'poison',
        json_build_object('specversion', '1.0', 'id', n::text, 'source', '/poison', 'type', 'poison'),
        'http://notify.bank', '', dead_letter_group('notify', 'poison', '500', 'no')
      from generate_series(1, ${count}) n
      returning id`,
  )
  return rows.map(({ id }) => id)
}

/** A customer whom no other request needs: their sessions may end. */
const somebodyElse = ({ bank }: Parties): Promise<Customer> => registerCustomer(bank)

async function notificationOf(p: Parties): Promise<string> {
  const path = '/notifications?limit=1'
  return until(async () => (await must(p, 'GET', path, undefined)).items[0]?.id as string | undefined, {
    what: 'a notification',
  })
}

/** By operation, method and path. */
export const rightRequests: Readonly<Record<string, Make>> = {
  // Users.
  'register POST /auth/register': () => ({
    body: { name: 'Eve', email: `${randomUUID()}@example.com`, password: 'three blue herons' },
  }),
  'confirm-email POST /auth/email/confirmations': () => ({ toOthers: 'the same' }),
  'users POST /users': () => ({ body: { name: 'Joan', email: `${randomUUID()}@example.com` } }),
  'users PATCH /users/{id}': ({ ada }) => ({
    params: { id: ada.id },
    body: { name: `Ada ${reason()}` },
  }),
  'users PUT /users/{id}/password': async (p) => {
    const owner = await somebodyElse(p)
    const body = { current_password: 'three blue herons', new_password: 'three grey herons' }
    return { owner, params: { id: owner.id }, body }
  },
  'users DELETE /sessions/{id}': async (p) => {
    const owner = await somebodyElse(p)
    const { items } = await must(p, 'GET', '/sessions', undefined, owner.token)
    return { owner, params: { id: items[0].id } }
  },
  'users DELETE /sessions': async (p) => {
    const owner = await somebodyElse(p)
    return { owner, query: '?others=true', toOthers: 'the same' }
  },
  'users DELETE /users/{id}': async (p) => {
    const owner = await somebodyElse(p)
    return { owner, params: { id: owner.id } }
  },

  // Accounts and what operators do with them.
  'open-account POST /accounts': () => ({
    body: { account_type: 'savings', name: reason() },
    toOthers: 'the same',
  }),
  'change-account PATCH /accounts/{id}': ({ savings }) => ({
    params: { id: savings },
    body: { name: reason() },
  }),
  'close-account POST /accounts/{id}/close': async (p) => ({
    params: { id: await newAccount(p) },
    body: { reason: reason() },
  }),
  'freeze-account POST /accounts/{id}/freeze': async (p) => ({
    params: { id: await newAccount(p) },
    body: { reason: reason() },
  }),
  'unfreeze-account POST /accounts/{id}/unfreeze': async (p) => {
    const id = await newAccount(p)
    await must(p, 'POST', `/accounts/${id}/freeze`, { reason: reason() }, p.operator)
    return { params: { id }, body: { reason: reason() } }
  },
  'limits PUT /accounts/{id}/limits': ({ savings }) => ({
    params: { id: savings },
    body: { day_max: '100000.00', time_zone: 'Europe/Vienna', reason: reason() },
  }),
  'fees PUT /fees': () => ({
    body: { currency: 'CHF', type: 'transfer', rules: { fixed: '0.10' }, reason: reason() },
  }),
  'fees POST /fees/dry-run': () => ({
    body: { currency: 'CHF', type: 'transfer', rules: { fixed: '0.20' } },
  }),

  // Money.
  'deposit POST /transactions': (p) => ({ body: described(p) }),
  'withdraw POST /transactions': (p) => ({ body: described(p) }),
  'transfer POST /transactions': (p) => ({ body: described(p, { to_account_id: p.savings }) }),
  'post-batch POST /transactions/batch': (p) => ({
    body: { transactions: [described(p, { type: 'withdrawal' })] },
    toOthers: { status: 200, body: { results: [{ status: 404 }] } },
  }),
  'dry-run POST /transactions/dry-run': (p) => ({
    body: money(p, { type: 'withdrawal' }),
    toOthers: { status: 200, body: { allowed: false, balance_after: null, available_after: null } },
  }),
  'reverse-transaction POST /transactions/{id}/reverse': async (p) => ({
    params: await idOf(p, '/transactions', described(p, { type: 'deposit' })),
    body: { reason: reason() },
  }),
  'place-hold POST /holds': (p) => ({ body: described(p) }),
  'capture-hold POST /holds/{id}/capture': async (p) => ({
    params: await newHold(p),
    body: { to_account_id: p.savings },
  }),
  'release-hold POST /holds/{id}/release': async (p) => ({ params: await newHold(p), body: {} }),
  'stop-ledger POST /ledger/stop': () => ({ body: { currency: 'JPY', reason: reason() } }),
  'resume-ledger POST /ledger/resume': async (p) => ({
    body: {
      stop_id: (await idOf(p, '/ledger/stop', { currency: 'JPY', reason: reason() }, p.operator)).id,
      reason: reason(),
    },
  }),
  'ledger-checks POST /ledger/verify': () => ({ body: {} }),

  // Payments, orders, web hooks.
  'create-payment POST /payments/create': (p) => ({
    body: money(p, { payee_account_id: p.bobs }),
    toOthers: failed,
  }),
  'execute-payment POST /payments/execute': async (p) => ({ body: await newPayment(p) }),
  'cancel-payment POST /payments/cancel': async (p) => ({ body: await newPayment(p) }),
  'create-payout POST /payments/payout': (p) => ({
    body: { account_id: p.checking, items: [{ to_account_id: p.savings, amount: amount() }] },
  }),
  'top-ups POST /payments/top-ups': (p) => ({ body: money(p) }),
  'withdrawals POST /payments/withdrawals': (p) => ({ body: money(p, payee), toOthers: failed }),
  'create-order POST /orders': (p) => ({ body: money(p, { to_account_id: p.savings, schedule }) }),
  'create-order POST /orders/preview': () => ({ body: { schedule }, toOthers: 'the same' }),
  'change-order PATCH /orders/{id}': async (p) => ({
    params: await newOrder(p),
    body: { amount: amount() },
  }),
  'change-order PUT /orders/{id}/status': async (p) => ({
    params: await newOrder(p),
    body: { status: 'paused' },
  }),
  'cancel-order DELETE /orders/{id}': async (p) => ({ params: await newOrder(p) }),
  'create-web-hook POST /webhooks': (p) => ({
    body: { ...hook(p), types: ['payment.executed'] },
    toOthers: 'the same',
  }),
  'web-hooks PATCH /webhooks/{id}': async (p) => ({ params: await newHook(p), body: hook(p) }),
  'web-hooks DELETE /webhooks/{id}': async (p) => ({ params: await newHook(p) }),
  'rotate-web-hook-secret POST /webhooks/{id}/secrets': async (p) => ({ params: await newHook(p) }),

  // Messages and dead letters.
  'preferences PUT /notifications/preferences': () => ({
    body: { language: 'en' },
    toOthers: 'the same',
  }),
  'preferences PUT /notifications/contacts/{id}/phone': ({ ada }) => ({
    params: { id: ada.id },
    body: { phone: '+15555550100' },
  }),
  'preferences POST /notifications/push-subscriptions': ({ pushUrl }) => ({
    body: {
      endpoint: `${pushUrl}/${randomUUID()}`,
      keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) },
    },
    toOthers: 'the same',
  }),
  'preferences DELETE /notifications/push-subscriptions/{id}': async (p) => {
    const keys = { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) }
    const endpoint = `${p.pushUrl}/${randomUUID()}`
    return { params: await idOf(p, '/notifications/push-subscriptions', { endpoint, keys }) }
  },
  'notifications POST /notifications/read': async (p) => ({ body: { up_to: await notificationOf(p) } }),
  'send-notification POST /notifications/send': ({ ada }) => ({
    body: { user_id: ada.id, channel: 'in-app', message: reason() },
  }),
  'dead-letters POST /dead-letters/{id}/redrive': async (p) => ({
    params: { id: (await deadLetters(p, 1))[0]! },
  }),
  'dead-letters POST /dead-letters/{id}/discard': async (p) => ({
    params: { id: (await deadLetters(p, 1))[0]! },
    body: { reason: reason() },
  }),
  'dead-letters POST /dead-letter-redrives': async (p) => ({
    body: { ids: await deadLetters(p, 1), per_second: 10 },
  }),
  'dead-letters POST /dead-letter-redrives/{id}/stop': async (p) => {
    const body = { ids: await deadLetters(p, 200), per_second: 1 }
    return { params: await idOf(p, '/dead-letter-redrives', body, p.operator) }
  },

  // Documents.
  'file-statement POST /documents/statements': (p) => ({ body: newStatement(p) }),
  'delete-document DELETE /media/{public_id}': async (p) => ({
    params: { public_id: (await must(p, 'POST', '/documents/statements', newStatement(p))).public_id },
  }),
}
