import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startBank, loginOperator, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import { schemathesis } from './support/pip-package.mjs'

/** Schemathesis reads the contract from the running bank, makes requests that fit it and requests that don't,
 * and holds each answer against it: docs/contract.md. */

/** Seconds of a run, so that it ends however slow the machine is. The tool looks at the clock between two
 * requests, and uses all of them. A run by hand may have more. */
const SECONDS = Number(process.env.SCHEMATHESIS_SECONDS ?? 60)
const PHASES = 'examples,coverage,fuzzing,stateful'
/** The runs, until one has asked enough. To look for examples, of which there are few, takes seconds, and
 * minutes on a busy machine: then a longer run does without. */
const RUNS = [
  { seconds: SECONDS, phases: PHASES },
  ...[5, 15].map((times) => ({ seconds: times * SECONDS, phases: PHASES.replace('examples,', '') })),
]
/** More seconds than the front door gives a function, so that a slow one has its 504. */
const ANSWER_SECONDS = '180'
/** The same requests in each run, so that no change fails by chance of another. Other seeds by hand. */
const SEED = process.env.SCHEMATHESIS_SEED ?? '1'
const REPORT_MAX = 12_000
/** Requests that the tool must have made. */
const ENOUGH = /\d{2,} generated/

let bank: Bank
/** The user whom operators may delete. */
let spare: string

beforeAll(async () => {
  // Its log-ins with made-up passwords would be refused soon, and most of its requests with them.
  const withoutQuotas = { LOGINS_FREE: '1000', REGISTRATIONS_FREE: '1000', SIGN_IN_RATE: 'off' }
  bank = await startBank({
    // No answer tells what carries the events, and this starts sooner.
    args: ['--queue', 'postgres'],
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
  const [customer, neighbour] = [await customerWithMoney(), await customerWithMoney()]
  spare = (await registerCustomer(bank)).id
  writeUsers({
    customer: customer.token,
    neighbour: neighbour.token,
    operator: await loginOperator(bank),
  })
  // Both at once, each in one thread: in several, Hypothesis now and then takes its own runs for flaky.
  const reports = await Promise.all([askEnoughAs('customer'), askEnoughAs('operator')])
  expect(reports.filter(({ status }) => status !== 0).map(({ report }) => report)).toEqual([])
  for (const { report } of reports) {
    // An entry of the tool's settings may leave out more than it seems to.
    const [, selected, all] = /Operations: +(\d+) selected \/ (\d+) total/.exec(report)!.map(Number)
    expect(selected).toBe(all)
    expect(report).toMatch(ENOUGH)
  }
}, 3_600_000)

async function customerWithMoney(): Promise<Customer> {
  const customer = await registerCustomer(bank)
  const [account_id, to_account_id] = [
    await customer.openAccount('checking'),
    await customer.openAccount('savings'),
  ]
  await customer.transact({ type: 'deposit', account_id, amount: '900.00' })
  await customer.transact({ type: 'transfer', account_id, to_account_id, amount: '200.00' })
  return customer
}

const usersFile = (): string => join(bank.dataDir, 'users.json')

/** Writes the access tokens by user, as the tool reads them
 * (https://github.com/WebFuzzing/Commons, auth.yaml). */
function writeUsers(tokens: Record<string, string>): void {
  const auth = Object.entries(tokens).map(([name, token]) => ({
    name,
    fixedHeaders: [{ name: 'Authorization', value: `Bearer ${token}` }],
  }))
  writeFileSync(usersFile(), JSON.stringify({ auth }), { mode: 0o600 })
}

interface Outcome {
  /** 0: it found nothing. */
  status: number | null
  report: string
}

/** Runs the tool as a user; again for longer if the machine was too busy to ask enough. */
async function askEnoughAs(user: string): Promise<Outcome> {
  let outcome: Outcome
  for (const run of RUNS) {
    outcome = await askAs(user, run)
    if (outcome.status !== 0 || ENOUGH.test(outcome.report)) break
  }
  return outcome!
}

async function askAs(user: string, { seconds, phases }: (typeof RUNS)[number]): Promise<Outcome> {
  const child = spawn(
    'python3',
    [
      ...['-m', 'schemathesis.cli', '--config-file', join(__dirname, 'support/schemathesis.toml')],
      ...['run', `${bank.url}/api/openapi.json`, '--seed', SEED, '--max-time', String(seconds)],
      ...['--phases', phases, '--checks', 'all', '--workers', '1'],
      ...['--request-timeout', ANSWER_SECONDS, '--wait-for-schema', ANSWER_SECONDS],
      ...['--warnings', 'off', '--no-color'],
    ],
    {
      cwd: bank.dataDir,
      env: {
        ...process.env,
        PYTHONPATH: schemathesis.folder,
        BANK_HOOKS: join(__dirname, 'support/schemathesis_hooks.py'),
        BANK_USERS: usersFile(),
        BANK_USER: user,
        BANK_SPARE: spare,
      },
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
