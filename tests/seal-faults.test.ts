import { loginOperator, startBank, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import { checkSeals, countSeals, tryToSeal } from './support/sealing.ts'
import { signal } from './support/signal.ts'
import { until } from './support/until.ts'

/** Whatever dies at whichever line of a seal: nothing is lost, no two checkpoints of one size differ, and all
 * can be proved afterwards. */

let bank: Bank
let operator: string
let ada: Customer
let accounts: { id: string }[]

/** Where a process that seals can be held up: before the commit of leaves, before that of a seal with its
 * event, and after the event was published, before that is noted. */
const traps = {
  leaves: 'constraint trigger leaves after update on seal_rounds deferrable initially deferred for each row',
  seal: 'constraint trigger seal after insert on seals deferrable initially deferred for each row',
  published: 'trigger published before delete on outbox_pending for each statement',
}
type Place = keyof typeof traps

const tableOf = (place: Place): string => / on (\w+)/.exec(traps[place])![1]!

beforeAll(async () => {
  bank = await startBank()
  operator = await loginOperator(bank)
  ada = await registerCustomer(bank)
  accounts = []
  for (let n = 0; n < 3; n++) accounts.push({ id: await ada.openAccount('checking') })
  // Every transaction sees at once what a sequence says, whatever its isolation. Nothing else ends the wait.
  await bank.sql(
    'ledger',
    `create sequence trap;
      create function wait_in_trap() returns trigger language plpgsql security definer as $$
      begin
        while current_setting('application_name') = 'seal-ledger' and (select last_value from public.trap) = 1 loop
          perform pg_sleep(0.02);
        end loop;
        return null;
      end $$;
      alter role ledger in database ledger set statement_timeout = 0;
      alter role ledger in database ledger set client_connection_check_interval = 0`,
  )
  await openTrap()
  for (const [place, trigger] of Object.entries(traps) as [Place, string][])
    await bank.sql(
      'ledger',
      `create ${trigger} execute function wait_in_trap(); alter table ${tableOf(place)} disable trigger ${place}`,
    )
})

afterAll(() => bank?.stop())

const setTrap = (isClosed: boolean) => bank.sql('ledger', `select setval('trap', ${isClosed ? 1 : 2})`)
const openTrap = () => setTrap(false)

/** Switches a trap on or off. */
const arm = (place: Place, how: 'enable' | 'disable') =>
  bank.sql('ledger', `alter table ${tableOf(place)} ${how} trigger ${place}`)

/** Moves money and holds some, so that there is something to seal. */
async function use(): Promise<void> {
  for (const { id } of accounts) {
    await ada.bank.post('/api/transactions', { body: { type: 'deposit', account_id: id, amount: '10.00' } })
    const hold = await ada.bank.post('/api/holds', { body: { account_id: id, amount: '1.00' } })
    await ada.bank.post('/api/holds/{id}/release', { params: { id: hold.id }, body: {} })
  }
  // Only what was checked is sealed.
  const unchecked = `select from accounts a where a.version > 0 and a.version is distinct from
    (select c.version from checked c where c.account_id = a.id)`
  await until(
    async () => {
      await bank.ping('sweep-ledger')
      return (await bank.sql('ledger', unchecked)).length === 0
    },
    { what: 'the check of what was posted' },
  )
}

/** Waits until a process that seals is in the trap, and stays there. */
const trapped = () =>
  until(
    async () => {
      const rows = await bank.sql(
        'ledger',
        `select from pg_stat_activity where application_name = 'seal-ledger' and wait_event = 'PgSleep'`,
      )
      return rows.length > 0
    },
    { what: 'a process in the trap' },
  )

const killFunction = () => signal(bank.functionPids('seal-ledger'), 'SIGKILL')
const killPostgres = () => signal([bank.postgresPid()], 'SIGKILL')

/** Waits until another Postgres answers. */
const restarted = (old: number) =>
  until(async () => bank.postgresPid() !== old && (await bank.sql('ledger', 'select 1')).length === 1, {
    what: 'Postgres to come back',
  })

/** What is sealed: changes with each commit of leaves. */
const countLeaves = async (): Promise<string> =>
  JSON.stringify(await bank.sql('ledger', 'select place, tree_size() from seal_rounds order by kind'))

let before: { seals: number; leaves: string }
let sealing: Promise<void>

/** Has a process seal, up to a trap. */
async function sealInto(place: Place): Promise<void> {
  await use()
  await arm(place, 'enable')
  await setTrap(true)
  sealing = tryToSeal(bank)
  await trapped()
  before = { seals: await countSeals(bank), leaves: await countLeaves() }
}

/** Lets the killed process's transaction end. */
async function committed(place: Place): Promise<void> {
  await openTrap()
  const isCommitted = async (): Promise<boolean> =>
    place === 'seal' ? (await countSeals(bank)) === before.seals + 1 : (await countLeaves()) !== before.leaves
  await until(isCommitted, { what: 'the commit' })
}

/** Checks everything, when all processes may go on. */
async function recover(place: Place): Promise<void> {
  await openTrap()
  await sealing
  await arm(place, 'disable')
  await checkSeals(bank, operator, accounts)
  expect(await bank.sql('ledger', 'select * from verify_ledger()')).toEqual([])
}

test.each<[Place]>([['leaves'], ['seal']])(
  'Postgres is killed before the commit of the %s: they are made again',
  async (place) => {
    await sealInto(place)
    const pid = bank.postgresPid()
    killPostgres()
    await restarted(pid)
    expect([await countSeals(bank), await countLeaves()]).toEqual([before.seals, before.leaves])
    await recover(place)
  },
)

test.each<[Place, string, boolean]>([
  ['leaves', 'the process dies', false],
  ['seal', 'the process dies', false],
  ['seal', 'the process and Postgres die', true],
])(
  'after the commit of the %s, %s before anything else happens: nothing is lost',
  async (place, _what, withPostgres) => {
    await sealInto(place)
    const pid = bank.postgresPid()
    killFunction()
    await committed(place)
    if (withPostgres) {
      killPostgres()
      await restarted(pid)
    }
    expect(await countSeals(bank)).toBe(before.seals + Number(place === 'seal'))
    await recover(place)
  },
)

test('the process dies after the event was published, before that is noted: the witness takes it once', async () => {
  await sealInto('published')
  killFunction()
  await recover('published')
})
