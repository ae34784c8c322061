import { silent, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { runInTurn, type SweepJob } from './turns.ts'

let ledger: TestLedger
let ran: string[]

beforeEach(async () => {
  ledger = await testLedger()
  ran = []
})
afterEach(() => ledger.close())

const HOUR_MS = 3_600_000

const job = (name: string, run: SweepJob['run'] = async () => {}, timeMs = HOUR_MS): SweepJob => ({
  name,
  timeMs,
  run(share) {
    ran.push(name)
    return run(share)
  },
})
const sweep = (jobs: SweepJob[], timeMaxMs = HOUR_MS, overtimeMs?: number) =>
  runInTurn({ db: ledger.db, log: silent }, jobs, timeMaxMs, overtimeMs)
const take = () => ran.splice(0).join(' ')

test('all jobs have their turn, in the given order, with their share of the time', async () => {
  const shares: number[] = []
  const noting = (name: string, timeMs: number) =>
    job(name, (share) => Promise.resolve(void shares.push(share)), timeMs)
  for (let n = 0; n < 2; n++) {
    await sweep([noting('orders', 5_000), noting('checks', 6_000), noting('outbox', 4_000)])
    expect(take()).toBe('orders checks outbox')
  }
  expect(shares).toEqual([5_000, 6_000, 4_000, 5_000, 6_000, 4_000])
})

test('if the time is over, the next sweep begins with those that had no turn, in whatever process', async () => {
  const jobs = [job('orders'), job('checks'), job('outbox')]
  // Each sweep has time for one.
  const turns: string[] = []
  for (let n = 0; n < 4; n++) {
    await sweep(jobs, 0)
    turns.push(take())
  }
  expect(turns).toEqual(['orders', 'checks', 'outbox', 'orders'])
  await sweep(jobs)
  expect(take()).toBe('checks outbox orders')
})

test('a job that fails keeps no other from its turn, and is told in the end', async () => {
  const jobs = [job('orders', () => Promise.reject(new Error('no books'))), job('checks'), job('outbox')]
  await expect(sweep(jobs)).rejects.toThrow('no books')
  expect(take()).toBe('orders checks outbox')
})

test('a job that never ends keeps no other from its turn, now and the next time', async () => {
  const jobs = [job('orders', () => new Promise(() => {}), 0), job('checks'), job('outbox')]
  await sweep(jobs, HOUR_MS, 0)
  expect(take()).toBe('orders checks outbox')
  await sweep(jobs, 0, 0)
  await sweep(jobs, 0, 0)
  expect(take()).toBe('orders checks')
})

test('a process that dies in a job leaves the first place to the others', async () => {
  await ledger.db.query({ text: `select take_turn('orders')` })
  await sweep([job('orders'), job('checks')])
  expect(take()).toBe('checks orders')
})
