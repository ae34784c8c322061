import { connect, type BankClient } from '../../functions/web/client.ts'
import { startBank } from '../../tests/support/bank.ts'
import { smoke } from './smoke.ts'

let stop: (() => Promise<void>) | undefined
let bank: BankClient

beforeAll(async () => {
  const started = await startBank()
  stop = started.stop
  bank = connect(started.url)
})
afterAll(() => stop?.())

const steps: string[] = []
const options = { timeoutMs: 60_000, log: (step: string) => void steps.push(step) }

test('a bank that works passes, as often as it is tested', async () => {
  await smoke(bank, options)
  await smoke(bank, options)
  expect(steps.filter((step) => step === 'the bank works')).toHaveLength(2)
})

test('a bank that sends no notifications fails', async () => {
  const silent: BankClient = async (path, request) =>
    path === '/api/notifications' ? { status: 200, body: { items: [] } } : bank(path, request)
  await expect(smoke(silent, { ...options, timeoutMs: 100 })).rejects.toThrow(
    'expected two notifications within 100 ms',
  )
})

test('a refusal fails with what the bank said', async () => {
  const closed: BankClient = async () => ({ status: 503, body: { detail: 'the database did not answer' } })
  await expect(smoke(closed, options)).rejects.toThrow('the bank answered 503: the database did not answer')
})
