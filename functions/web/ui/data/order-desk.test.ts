import fc from 'fast-check'
import type { Transaction } from '../../client/api.ts'
import { KEY_AGE_MS_MAX, type OrderAnswer, type OrderBody, type ReviewedOrder } from './money-order.ts'
import { OrderDesk, type OrderShelf } from './order-desk.ts'

const bodyOf = (amount: string): OrderBody => ({
  type: 'transfer',
  account_id: 'a',
  to_account_id: 'b',
  amount,
  currency: 'USD',
})
const made = { id: 't', status: 'completed' } as Transaction
const refusedWith = (status: number, code: string): OrderAnswer => ({
  is: 'refused',
  refusal: { status, code, detail: '', errors: [] },
})

/** A desk in a page that can be reloaded, before a bank that answers when it is told to. */
class Page {
  readonly sent: (ReviewedOrder & { prefersAsync: boolean })[] = []
  readonly reviewed: { key: string; body: OrderBody }[] = []
  nowMs = 1_000
  desk: OrderDesk
  private readonly shelved: Map<string, string>
  private keys = 0
  private waiting: ((answer: OrderAnswer) => void)[] = []
  private due: (() => void)[] = []

  constructor({ isLookedAt = true, shelved = new Map<string, string>() } = {}) {
    this.shelved = shelved
    this.desk = this.load()
    if (isLookedAt) this.look()
  }

  /** Looks on, as the page does while it is open. Returns what leaves it. */
  look(): () => void {
    return this.desk.subscribe(() => undefined)
  }
  /** What a browser copies into a duplicated tab. */
  copyShelf(): Map<string, string> {
    return new Map(this.shelved)
  }
  wipe(): void {
    this.shelved.clear()
  }

  private load(): OrderDesk {
    const shelf: OrderShelf = {
      getItem: (name) => this.shelved.get(name) ?? null,
      setItem: (name, text) => void this.shelved.set(name, text),
      removeItem: (name) => void this.shelved.delete(name),
    }
    return new OrderDesk({
      owner: 'ada',
      shelf,
      newKey: () => `key-${++this.keys}`,
      nowMs: () => this.nowMs,
      later: (act) => void this.due.push(act),
      send: (order, { prefersAsync }) => {
        this.sent.push({ ...structuredClone(order), prefersAsync })
        return new Promise((resolve) => this.waiting.push(resolve))
      },
    })
  }

  get is(): string {
    return this.desk.snapshot().is
  }
  get isShelved(): boolean {
    return this.shelved.size > 0
  }
  review(body: OrderBody): void {
    this.desk.review(body)
    const state = this.desk.snapshot()
    if (state.is === 'in-review') this.reviewed.push(state.order)
  }
  /** Answers the attempt that has waited longest. */
  async answer(answer: OrderAnswer): Promise<void> {
    this.waiting.shift()?.(answer)
    await Promise.resolve()
    await Promise.resolve()
  }
  pass(): void {
    for (const act of this.due.splice(0)) act()
  }
  reload(): void {
    this.waiting = []
    this.due = []
    this.desk = this.load()
    this.look()
  }
}

let page: Page
beforeEach(() => {
  page = new Page()
})

test('an order is reviewed, sent once, and done; a second click sends nothing', async () => {
  page.review(bodyOf('200.00'))
  expect([page.is, page.isShelved]).toEqual(['in-review', true])
  page.desk.send()
  page.desk.send()
  expect(page.sent).toHaveLength(1)
  await page.answer({ is: 'made', made, wasReplayed: false })
  expect(page.desk.snapshot()).toMatchObject({ is: 'done', attempts: 1, wasReplayed: false })
  expect(page.isShelved).toBe(false)
})

test('without an answer it asks again with the same key, from the third time without waiting for the posting', async () => {
  page.review(bodyOf('200.00'))
  page.desk.send()
  for (let i = 0; i < 3; i++) {
    await page.answer({ is: 'no-answer' })
    expect(page.is).toBe('unanswered')
    page.pass()
  }
  await page.answer({ is: 'made', made, wasReplayed: true })
  expect(page.desk.snapshot()).toMatchObject({ is: 'done', attempts: 4, wasReplayed: true })
  expect(page.sent.map(({ key, prefersAsync }) => [key, prefersAsync])).toEqual([
    ['key-1', false],
    ['key-1', false],
    ['key-1', true],
    ['key-1', true],
  ])
})

test('a reload in the middle goes on asking, with the attempts so far', async () => {
  page.review(bodyOf('200.00'))
  page.desk.send()
  page.reload()
  expect(page.desk.snapshot()).toMatchObject({ is: 'sending', attempts: 2, isOpen: true })
  await page.answer({ is: 'made', made, wasReplayed: true })
  expect(page.is).toBe('done')
})

test('a reload at the review shows the same order under the same key', () => {
  page.review(bodyOf('200.00'))
  page.reload()
  expect(page.is).toBe('in-review')
  page.desk.send()
  expect(page.sent.map(({ key }) => key)).toEqual(['key-1'])
})

test('an order that may have moved money can’t be changed or left', async () => {
  page.review(bodyOf('200.00'))
  page.desk.send()
  page.desk.edit()
  expect(page.is).toBe('sending')
  await page.answer({ is: 'no-answer' })
  page.desk.edit()
  page.review(bodyOf('300.00'))
  expect(page.desk.snapshot()).toMatchObject({ is: 'unanswered', order: { key: 'key-1' } })
})

test('refused at once, it can be changed, and is another order then', async () => {
  page.review(bodyOf('200.00'))
  page.desk.send()
  await page.answer(refusedWith(409, 'insufficient-funds'))
  expect(page.desk.snapshot()).toMatchObject({ is: 'refused', refusal: { code: 'insufficient-funds' } })
  page.desk.edit()
  page.review(bodyOf('100.00'))
  page.desk.send()
  expect(page.sent.map(({ key }) => key)).toEqual(['key-1', 'key-2'])
})

test.each([
  [409, 'insufficient-funds', 'refused'],
  [404, 'account-not-found', 'refused'],
  [422, 'currency-mismatch', 'refused'],
  [400, 'invalid-input', 'refused'],
  [409, 'idempotency-key-in-use', 'unanswered'],
  [404, 'not-found', 'unanswered'],
  [401, 'unauthenticated', 'unanswered'],
  [403, 'cross-site', 'unanswered'],
  [403, 'other-user', 'unanswered'],
  [429, 'too-many-requests', 'unanswered'],
  [503, 'ledger-stopped', 'unanswered'],
])('after an attempt without an answer, %p %s leaves it %s', async (status, code, expected) => {
  page.review(bodyOf('200.00'))
  page.desk.send()
  await page.answer({ is: 'no-answer' })
  page.pass()
  await page.answer(refusedWith(status, code))
  expect(page.is).toBe(expected)
})

test('an accepted order is asked for again after a reload, and settled when the bank says so', async () => {
  page.review(bodyOf('200.00'))
  page.desk.send()
  await page.answer({ is: 'accepted', made: { ...made, status: 'pending' } })
  page.reload()
  await page.answer({ is: 'accepted', made: { ...made, status: 'pending' } })
  page.desk.settle({ ...made, status: 'pending' })
  expect([page.is, page.isShelved]).toEqual(['accepted', true])
  page.desk.settle({ ...made, status: 'rejected' })
  expect([page.is, page.isShelved]).toEqual(['refused', false])
})

test('what was wiped at sign-out stays wiped, and nobody asks again until its owner looks on', async () => {
  page = new Page({ isLookedAt: false })
  const leave = page.look()
  page.review(bodyOf('200.00'))
  page.desk.send()
  leave()
  page.wipe()
  await page.answer({ is: 'no-answer' })
  page.pass()
  expect([page.is, page.isShelved, page.sent.length]).toEqual(['unanswered', false, 1])
  page.look()
  expect([page.is, page.sent.length]).toEqual(['sending', 2])
})

test('of two tabs with one order, each asks with its key', async () => {
  page.review(bodyOf('200.00'))
  const shelved = page.copyShelf()
  page.desk.send()
  await page.answer({ is: 'made', made, wasReplayed: false })
  const copy = new Page({ shelved })
  copy.desk.send()
  expect(copy.sent.map(({ key }) => key)).toEqual(['key-1'])
  await copy.answer({ is: 'made', made, wasReplayed: true })
  expect(copy.desk.snapshot()).toMatchObject({ is: 'done', wasReplayed: true })
})

test('an outcome is put away when it was seen, anything else stays', async () => {
  page.review(bodyOf('200.00'))
  page.desk.leave()
  expect(page.is).toBe('in-review')
  page.desk.send()
  page.desk.leave()
  await page.answer({ is: 'no-answer' })
  page.desk.leave()
  expect(page.is).toBe('unanswered')
  page.pass()
  await page.answer({ is: 'made', made, wasReplayed: true })
  page.desk.leave()
  expect(page.is).toBe('editing')
})

test('a key that the bank may have forgotten is not sent again', async () => {
  page.review(bodyOf('200.00'))
  page.desk.send()
  await page.answer({ is: 'no-answer' })
  page.nowMs += KEY_AGE_MS_MAX + 1
  page.pass()
  expect([page.is, page.sent.length]).toEqual(['expired', 1])
  page.reload()
  expect([page.is, page.sent.length]).toEqual(['expired', 1])
  page.desk.edit()
  page.review(bodyOf('200.00'))
  page.nowMs += KEY_AGE_MS_MAX + 1
  page.desk.send()
  expect([page.is, page.sent.length]).toEqual(['editing', 1])
})

type Act = (page: Page) => void | Promise<void>
const answers: OrderAnswer[] = [
  { is: 'made', made, wasReplayed: true },
  { is: 'accepted', made: { ...made, status: 'pending' } },
  { is: 'no-answer' },
  ...(['insufficient-funds', 'idempotency-key-in-use'] as const).map((code) => refusedWith(409, code)),
  refusedWith(429, 'too-many-requests'),
  refusedWith(401, 'unauthenticated'),
]
const act = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('1.00', '2.00').map(
      (a): Act =>
        (p) =>
          p.review(bodyOf(a)),
    ),
  },
  { weight: 4, arbitrary: fc.constant<Act>((p) => p.desk.send()) },
  { weight: 1, arbitrary: fc.constant<Act>((p) => p.desk.edit()) },
  { weight: 2, arbitrary: fc.constant<Act>((p) => p.pass()) },
  { weight: 2, arbitrary: fc.constant<Act>((p) => p.reload()) },
  { weight: 1, arbitrary: fc.constant<Act>((p) => p.desk.settle(made)) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...answers).map(
      (a): Act =>
        (p) =>
          p.answer(a),
    ),
  },
)

test('whatever happens, a reviewed order has one key, and a key one body', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const p = new Page()
      for (const one of acts) {
        const open = p.desk.snapshot()
        await one(p)
        // Until the bank has spoken, nothing else can be sent.
        const now = p.desk.snapshot()
        if (open.is === 'sending' || open.is === 'unanswered')
          expect('order' in now && now.order.key).toBe(open.order.key)
      }
      const bodies = new Map(p.reviewed.map(({ key, body }) => [key, JSON.stringify(body)]))
      expect(bodies.size).toBe(p.reviewed.length)
      for (const { key, body } of p.sent) expect(JSON.stringify(body)).toBe(bodies.get(key))
    }),
    { numRuns: 500 },
  )
})
