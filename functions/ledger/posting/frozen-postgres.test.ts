import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database } from '../../host/database/database.ts'
import { startPostgres, type PostgresServer } from '../../../knative/local/servers/postgres.ts'
import { prepareDatabases } from '../../../knative/postgres/databases.ts'
import { migrate, readMigrations } from '../../../knative/postgres/migrate.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../../tests/support/host.ts'
import { ROOT } from '../../../tests/support/repository.ts'
import { freeze, signal } from '../../../tests/support/signal.ts'
import { until } from '../../../tests/support/until.ts'
import { alice, deposit, silent } from '../testing/ledger-fixture.ts'
import { postTransactions } from './post.ts'
import transfer from '../transfer.ts'

/** A separate Postgres whose processes are all stopped for a while (SIGSTOP), as on a machine that is
 * paused. */

let folder: string
let server: PostgresServer
let owner: Database
let running: TestFunction
let accounts: string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'microbank-frozen-postgres-'))
  chmodSync(folder, 0o755)
  server = await startPostgres({ dataDir: join(folder, 'postgres'), settings: { fsync: 'off' } })
  await prepareDatabases(server.superuserUrl, ['ledger'], {
    ledger: { owner: 'o', functions: 'f', meter: 'm' },
  })
  const ownerUrl = server.url('ledger', 'ledger_owner', 'o')
  const migrations = await readMigrations(ROOT, 'ledger')
  await migrate({ ownerUrl, functionsRole: 'ledger', context: 'ledger', migrations })
  owner = openDatabase({ url: ownerUrl, poolMax: 1, name: 'test', log: silent })
  running = await startFunction(transfer, {
    LEDGER_DATABASE_URL: server.url('ledger', 'ledger', 'f'),
    DATABASE_TIMEOUT_MS: '5000',
    BROKER_URL: 'http://127.0.0.1:9/',
  })
  const text = `select (account).id from open_account($1, 'checking', 'USD', 0, 1000000000, 1000000000, 100)`
  accounts = []
  for (let n = 0; n < 2; n++)
    accounts.push((await owner.query<{ id: string }>({ text, values: [alice] }))[0]!.id)
  await postTransactions(owner, [deposit(accounts[0]!, 100_00)])
})

afterAll(async () => {
  await running?.stop()
  await owner?.close()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Returns the server and its sessions. Each is in a process group of its own. */
function processes(): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=']).toString().trim().split('\n')
  const children = lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === server.pid)
  return [server.pid, ...children.map(([pid]) => pid!)]
}

test('while it is frozen every request is answered 503, and afterwards each is posted once', async () => {
  const bearer = await token({ userId: alice })
  const [account_id, to_account_id] = accounts
  const send = (key: string): Promise<Answer> =>
    running.request('POST', '/transactions', {
      token: bearer,
      body: { type: 'transfer', account_id, to_account_id, amount: '1.00' },
      headers: { 'idempotency-key': key },
    })
  const keys = Array.from({ length: 20 }, () => randomUUID())
  expect((await send(randomUUID())).status).toBe(201)

  const frozen = processes()
  await freeze(frozen)
  try {
    for (const { status } of await Promise.all(keys.map(send))) expect(status).toBe(503)
  } finally {
    signal(frozen, 'SIGCONT')
  }
  // On a busy machine some may come too early: the server first ends what was asked of it before.
  await Promise.all(keys.map((key) => until(async () => (await send(key)).status === 201)))
  const balances = await owner.query<{ balance: bigint }>({
    text: `select balance from accounts where kind = 'customer' order by balance`,
  })
  expect(balances.map(({ balance }) => balance)).toEqual([21_00n, 79_00n])
  expect(await owner.query({ text: 'select * from verify_ledger()' })).toEqual([])
})
