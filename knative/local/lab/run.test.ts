import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { invariantIds, type LabRun } from '../../../functions/platform/lab/run-schema.ts'
import { until } from '../../../tests/support/until.ts'
import type { Oracle } from './oracle.ts'
import { Run, type RunParts } from './run.ts'
import { KEPT_MAX, openKeptRuns } from './runs-on-disk.ts'

/** The life of a run over books that say what a test wants. */

const ID = '0199a1b2-0000-7000-8000-00000000000'
const MOVED = [`${ID}1`, `${ID}2`]
const [ACCOUNT, OTHER] = [`${ID}3`, `${ID}4`]

const newRun = (change: Partial<LabRun> = {}): LabRun => ({
  ...{ id: `${ID}0`, state: 'preparing', verdict: null, ended_by: null, scenario: null },
  ...{ faults: [], traffic: { per_second: 2 }, seconds: 600, seed: 1, version: '1', commit: null },
  ...{ started_by: `${ID}9`, created_at: '2026-01-01T00:00:00.000Z', began_at: null, ended_at: null },
  counts: {
    ...{ moved: 0, refused: 0, repeated: 0, unanswered: 0, deliveries: 0, took_effect: 0 },
    ...{ dead_letters: 0, lost: 0, doubled: 0, faults: 0 },
  },
  invariants: invariantIds.map((id) => ({ id, state: 'unknown', checked_at: null, found: '' })),
  ...{ broken_now: [], story: [], evidence: [], ...change },
})

const holding = (first: bigint, other = 0n) =>
  new Map([
    [ACCOUNT, first],
    [OTHER, other],
  ])

/** Books of a bank where all is well. */
const wellKept: Oracle = {
  books: async () => ({ lost: 0, lostIds: [] }),
  accounts: async () => ({ doubled: 0, doubledIds: [], balances: holding(300n) }),
  effects: async (moved) => moved.map((id) => ({ id, effects: 1, isDeadLetter: false })),
  ledger: async () => ({ ok: true, found: 'all well' }),
  prove: async () => [],
  deadLetters: async () => 0,
  close: async () => {},
}

/** Runs with two transactions that pay in three dollars. */
function start(books: Partial<Oracle> = {}, change: Partial<LabRun> = {}, parts: Partial<RunParts> = {}) {
  const undone: string[] = []
  const kept: string[] = []
  const run = new Run(newRun(change), {
    oracle: { ...wellKept, ...books },
    beginFaults: () => ({
      brokenNow: () => (undone.length > 0 ? [] : [{ place: 'rabbitmq', fault: 'rabbitmq-away', since: '' }]),
      isBusy: () => false,
      undo: () => void undone.push('undone'),
      end: () => void undone.push('ended'),
    }),
    async sendTraffic({ onAccounts, onAsked, onOutcome, signal }) {
      onAccounts!([])
      for (const id of MOVED) {
        onAsked!()
        onOutcome!({ kind: 'moved', id, changes: [{ account: ACCOUNT, cents: 150n }], repeats: 1 })
      }
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    },
    keep: ({ state }) => kept.push(state),
    settleMsMax: 0,
    ...parts,
  })
  return { run, undone, kept }
}

test('a run that is stopped has undone its faults at once, and is judged', async () => {
  const { run, undone, kept } = start({}, {}, { settleMsMax: 60_000 })
  await until(() => run.report.state === 'running')
  expect(run.report.broken_now).toHaveLength(1)
  run.stop()
  expect([undone[0], run.report.broken_now]).toEqual(['undone', []])
  await run.ended
  expect(run.report).toMatchObject({ verdict: 'green', ended_by: 'stop', evidence: [] })
  expect(run.report.counts).toMatchObject({ moved: 2, repeated: 2, unanswered: 0, took_effect: 2 })
  expect(run.report.invariants.map(({ state }) => state)).toEqual(invariantIds.map(() => 'ok'))
  expect(kept).toEqual(['running', 'settling', 'ended'])
})

test('a run ends by itself when its time is over', async () => {
  const { run } = start({}, { seconds: 0.01 })
  await run.ended
  expect(run.report).toMatchObject({ state: 'ended', ended_by: 'time' })
})

test('a red invariant ends the run, undoes its faults and keeps the evidence', async () => {
  const { run, undone } = start({ books: async () => ({ lost: 1, lostIds: [MOVED[0]!] }) })
  await run.ended
  expect(undone[0]).toBe('undone')
  expect(run.report).toMatchObject({ verdict: 'red', ended_by: 'red', counts: { lost: 1 } })
  expect(run.report.evidence).toContain(`the answered transaction ${MOVED[0]} is not in the books`)
})

test.each([
  ['money', { accounts: async () => ({ doubled: 0, doubledIds: [], balances: holding(299n) }) }],
  // The sum is right, and a customer has another's cent.
  ['money', { accounts: async () => ({ doubled: 0, doubledIds: [], balances: holding(299n, 1n) }) }],
  ['once', { accounts: async () => ({ doubled: 1, doubledIds: [MOVED[0]!], balances: holding(300n) }) }],
  ['events', { effects: async (ids) => ids.map((id) => ({ id, effects: 2, isDeadLetter: false })) }],
  ['events', { effects: async () => [{ id: MOVED[0]!, effects: 1, isDeadLetter: false }] }],
  ['ledger', { prove: async () => ['chains: {}'] }],
  ['ledger', { ledger: async () => ({ ok: false, found: 'not so' }) }],
  ['money', { accounts: () => Promise.reject(new Error('away')) }],
] satisfies [string, Partial<Oracle>][])(
  '%s is broken if the books say so, or never say',
  async (id, books) => {
    const { run } = start(books, { seconds: 0.01 })
    await run.ended
    expect(run.report.verdict).toBe('red')
    expect(run.report.invariants.find((one) => one.id === id)!.state).toBe('broken')
    expect(run.report.evidence).not.toEqual([])
  },
)

test('a key with two answers, and a transaction without any, are red', async () => {
  const contradicted = start(
    {},
    { seconds: 0.01 },
    {
      async sendTraffic({ onAccounts, onAsked, onOutcome }) {
        onAccounts!([])
        onAsked!()
        onOutcome!({ kind: 'contradicted', key: 'k', first: MOVED[0]!, then: MOVED[1]! })
      },
    },
  )
  await contradicted.run.ended
  const { invariants, evidence } = contradicted.run.report
  expect(invariants.flatMap(({ id, state }) => (state === 'broken' ? [id] : []))).toEqual([
    'money',
    'answers',
    'keys',
  ])
  expect(evidence).toContain('1 transactions were never answered')
})

test('a look asks only for what has not taken effect yet; the last one asks for all', async () => {
  const asked: number[] = []
  const effects: Oracle['effects'] = async (ids) => {
    asked.push(ids.length)
    return ids.map((id) => ({ id, effects: 1, isDeadLetter: false }))
  }
  const { run } = start({ effects })
  await until(() => asked.length > 2)
  run.stop()
  await run.ended
  expect(asked[0]).toBe(2)
  expect(asked.at(-1)).toBe(2)
  expect(new Set(asked.slice(1, -1))).toEqual(new Set([0]))
  expect(run.report).toMatchObject({ verdict: 'green', counts: { took_effect: 2 } })
})

test('a run in which nothing moved proves nothing, and says so', async () => {
  const { run } = start(
    { accounts: async () => ({ doubled: 0, doubledIds: [], balances: new Map() }) },
    { seconds: 0.01 },
    {
      async sendTraffic({ onAccounts, onAsked, onOutcome }) {
        onAccounts!([])
        onAsked!()
        onOutcome!({ kind: 'refused', code: 'limit-exceeded', repeats: 0 })
      },
    },
  )
  await run.ended
  expect(run.report).toMatchObject({ verdict: 'unproven', counts: { moved: 0, refused: 1 }, evidence: [] })
})

test('a bank that stops breaks the run off', async () => {
  const { run, undone } = start({}, {}, { settleMsMax: 60_000 })
  await until(() => run.report.state === 'running')
  await run.breakOff()
  expect(undone).toContain('ended')
  expect(run.report).toMatchObject({ state: 'ended', verdict: 'none', ended_by: 'bank' })
})

test('a run that cannot be written ends all the same', async () => {
  const keep = () => {
    throw new Error('ENOSPC')
  }
  const { run, undone } = start({}, { seconds: 0.01 }, { keep })
  await run.ended
  expect(undone).toContain('ended')
  expect(run.report).toMatchObject({ state: 'ended', verdict: 'green' })
  expect(run.report.evidence).toContain('the run could not be written: ENOSPC')
})

test.each([
  [1, 0, 'red'],
  [1, 1, 'green'],
  // The Broker has stored it, and its confirm got lost.
  [0, 1, 'green'],
])('of %i confirmed poison events %i are kept: %s', async (confirmed, kept, verdict) => {
  const beginFaults: RunParts['beginFaults'] = ({ onFault }) => {
    for (let n = 0; n < confirmed; n++) onFault('poison-event', 'events')
    return { brokenNow: () => [], isBusy: () => false, undo: () => undefined, end: () => undefined }
  }
  const { run } = start({ deadLetters: async () => kept }, { seconds: 0.01 }, { beginFaults })
  await run.ended
  expect(run.report.verdict).toBe(verdict)
  expect(run.report.invariants.find(({ id }) => id === 'poison')!.state).toBe(
    verdict === 'red' ? 'broken' : 'ok',
  )
})

describe('a run waits for its events', () => {
  let looks = 0
  beforeEach(() => {
    looks = 0
  })
  const effects =
    (most: number): Oracle['effects'] =>
    async (asked) => {
      const come = new Set(ids.slice(0, Math.min(most, looks++)))
      return asked.filter((id) => come.has(id)).map((id) => ({ id, effects: 1, isDeadLetter: false }))
    }
  const ids = Array.from({ length: 10 }, (_, n) => `0199a1b2-0000-7000-8000-0000000001${n}0`)
  const sendTraffic: RunParts['sendTraffic'] = async ({ onAccounts, onAsked, onOutcome }) => {
    onAccounts!([])
    for (const id of ids) {
      onAsked!()
      onOutcome!({ kind: 'moved', id, changes: [{ account: ACCOUNT, cents: 30n }], repeats: 0 })
    }
  }
  // Less than ten looks take.
  const parts = { sendTraffic, settleMsMax: 1_500 }

  test('as long as some come, and no longer', async () => {
    const slow = start({ effects: effects(10) }, { seconds: 0.01 }, parts)
    await slow.run.ended
    expect(slow.run.report.verdict).toBe('green')
    looks = 7
    const stuck = start({ effects: effects(9) }, { seconds: 0.01 }, parts)
    await stuck.run.ended
    expect(stuck.run.report.evidence.join()).toContain('1 are on their way')
  })

  test('even if the machine stands still between two looks', async () => {
    const now = performance.now.bind(performance)
    let stoodMs = 0
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + stoodMs)
    const come = effects(10)
    const stopping: Oracle['effects'] = (asked) => {
      setTimeout(() => (stoodMs += 600_000), 1)
      return come(asked)
    }
    const { run } = start({ effects: stopping }, { seconds: 0.01 }, parts)
    await run.ended
    clock.mockRestore()
    expect(run.report.verdict).toBe('green')
  })

  test('even if none has come yet when it is looked again after that', async () => {
    const now = performance.now.bind(performance)
    let stoodMs = 0
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + stoodMs)
    const come = effects(10)
    let same = 0
    const stopping: Oracle['effects'] = (asked) => {
      if (looks !== 5 || ++same > 3) return come(asked)
      if (same === 1) setTimeout(() => (stoodMs += 600_000), 1)
      looks--
      return come(asked)
    }
    const { run } = start({ effects: stopping }, { seconds: 0.01 }, parts)
    await run.ended
    clock.mockRestore()
    expect([run.report.verdict, same]).toEqual(['green', 4])
  })
})

describe('on disk', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'microbank-lab-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('a run that the bank was killed in has ended with it, and a file that was cut short is removed', () => {
    openKeptRuns(folder).keep(newRun({ state: 'running' }))
    writeFileSync(join(folder, 'lab/cut.json'), '{"id": "0199')
    const [run] = openKeptRuns(folder).list()
    expect(run).toMatchObject({ state: 'ended', verdict: 'none', ended_by: 'bank' })
    expect(run!.evidence).toContain('the bank was killed in the middle of the run')
    expect(existsSync(join(folder, 'lab/cut.json'))).toBe(false)
  })

  test('only the last runs are kept, the newest first', () => {
    const runs = openKeptRuns(folder)
    for (let i = 0; i < KEPT_MAX + 2; i++)
      runs.keep(newRun({ id: `${ID}${i}`, state: 'ended', created_at: new Date(i * 1000).toISOString() }))
    expect(readdirSync(join(folder, 'lab'))).toHaveLength(KEPT_MAX)
    expect(runs.list()[0]!.id).toBe(`${ID}${KEPT_MAX + 1}`)
  })
})
