import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { startBank, loginOperator, type Bank } from './support/bank.ts'
import { registerCustomer } from './support/customers.ts'
import { schemathesis } from './support/pip-package.mjs'

/** Schemathesis reads the contract from the running bank, makes requests that fit it and requests that don't,
 * and holds each answer against it: docs/contract.md. */

/** So that a run ends, however slow the machine is. The tool looks at it between two requests. */
const MAX_SECONDS = 45
/** The same requests in each run, so that no change fails by chance of another. Other seeds by hand. */
const SEED = process.env.SCHEMATHESIS_SEED ?? '1'
/** Operations that schemathesis.toml names. An entry may leave out more than it seems to. */
const LEFT_OUT = 5
const REPORT_MAX = 12_000

let bank: Bank

beforeAll(async () => {
  // Its log-ins with made-up passwords would be refused soon, and most of its requests with them.
  const withoutQuotas = { LOGINS_FREE: '1000', REGISTRATIONS_FREE: '1000', SIGN_IN_RATE: 'off' }
  bank = await startBank({
    env: {
      ...withoutQuotas,
      REQUEST_RATE: 'off',
      STATEMENT_RATE: 'off',
      UPLOAD_RATE: 'off',
      PAYEE_RATE: 'off',
    },
  })
})

afterAll(() => bank.stop())

test('the bank answers customers and operators as the contract says', async () => {
  const customer = await registerCustomer(bank)
  const [account_id, to_account_id] = [
    await customer.openAccount('checking'),
    await customer.openAccount('savings'),
  ]
  await customer.transact({ type: 'deposit', account_id, amount: '900.00' })
  await customer.transact({ type: 'transfer', account_id, to_account_id, amount: '200.00' })
  // Both at once, each in one thread: in several, Hypothesis now and then takes its own runs for flaky.
  const reports = await Promise.all([askAs(customer.token), askAs(await loginOperator(bank))])
  expect(reports.filter(({ status }) => status !== 0).map(({ report }) => report)).toEqual([])
  for (const { report } of reports) {
    const [, selected, all] = /Operations: +(\d+) selected \/ (\d+) total/.exec(report)!.map(Number)
    expect(all! - selected!).toBe(LEFT_OUT)
    expect(report).toMatch(/\d{2,} generated/)
  }
})

/** Runs the tool with a token, and resolves with its status (0: it found nothing) and a short report. */
async function askAs(token: string): Promise<{ status: number | null; report: string }> {
  const child = spawn(
    'python3',
    [
      ...['-m', 'schemathesis.cli', '--config-file', join(__dirname, 'support/schemathesis.toml')],
      ...['run', `${bank.url}/api/openapi.json`, '--seed', SEED, '--max-time', String(MAX_SECONDS)],
      ...['--phases', 'examples,coverage,fuzzing', '--checks', 'all', '--workers', '1'],
      ...['--request-timeout', '60', '--warnings', 'off', '--no-color'],
    ],
    {
      cwd: bank.dataDir,
      env: { ...process.env, PYTHONPATH: schemathesis.folder, BANK_TOKEN: token },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { status, report: `SCHEMATHESIS_SEED=${SEED}\n${shortened(output)}` }
}

/** The failures come first and the summary last. */
function shortened(output: string): string {
  if (output.length <= REPORT_MAX) return output
  return `${output.slice(0, REPORT_MAX - 1500)}\n[...]\n${output.slice(-1500)}`
}
