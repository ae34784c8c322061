import { randomUUID } from 'node:crypto'
import sharp from 'sharp'
import { transactionCompleted } from '../../../eventing/contracts/transaction.completed.ts'
import { loginOperator, type Bank } from '../../support/bank.ts'
import { registerCustomer, type Customer } from '../../support/customers.ts'
import { until } from '../../support/until.ts'

/** Whoever the pictures are of, and what the paths of pages name. */
export interface People {
  /** Somebody with all that pages can show: long names, several scripts, large, zero and negative amounts. */
  rich: Customer
  /** Somebody who has just registered. */
  poor: Customer
  things: Record<string, string>
  /** The number of an account that neither of them has. */
  theirNumber: string
}

const LONG = 'Wilhelmina Annabella von und zu Hohenlohe-Langenburg-Schillingsfürst, geborene Freiin von Sayn'

/** Fills a new bank with the same people and things each time. */
export async function fill(bank: Bank): Promise<People> {
  await publishPoison(bank)
  const named = async (name: string): Promise<Customer> => {
    const customer = await registerCustomer(bank)
    await customer.bank.patch('/api/users/{id}', { params: { id: customer.id }, body: { name } })
    return customer
  }
  const [rich, poor] = [await named(LONG), await named('王小明')]
  const arab = await named('عبد الرحمن بن خالد الحميدي')
  const theirs = await arab.openAccount('checking')

  const everyday = await rich.openAccount('checking')
  const savings = await rich.openAccount('savings')
  const named0 = 'Household of the whole family, with the car and the garden'
  await rich.bank.patch('/api/accounts/{id}', { params: { id: savings }, body: { name: named0 } })
  const yen = await rich.openAccount('checking', 'JPY')
  const euro = await rich.openAccount('checking', 'EUR')
  await rich.openAccount('savings', 'GBP')
  const frozen = await rich.openAccount('checking', 'CHF')
  const move = async (body: Record<string, unknown>): Promise<string> => {
    const answer = await rich.transact(body)
    if (answer.status !== 201) throw new Error(`${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`)
    return answer.body.id as string
  }
  await move({
    type: 'deposit',
    account_id: everyday,
    amount: '9876543210.98',
    description: 'Sold the company',
  })
  await move({ type: 'deposit', account_id: yen, amount: '1234567', currency: 'JPY' })
  const token = await loginOperator(bank)
  await bank.call('PATCH', `/api/accounts/${euro}`, {
    token,
    body: { overdraft_limit: '500.00', reason: 'They asked for it, and have been with us for twenty years.' },
  })
  await bank.call('POST', `/api/accounts/${frozen}/freeze`, {
    token,
    body: { reason: 'They lost their card.' },
  })
  await move({
    type: 'withdrawal',
    account_id: euro,
    amount: '123.45',
    currency: 'EUR',
    description: 'Bargeld',
  })
  const transfer = await move({
    ...{ type: 'transfer', account_id: everyday, to_account_id: savings, amount: '200.00' },
    description: 'Rainy days',
  })
  await move({
    ...{ type: 'transfer', account_id: everyday, to_account_id: theirs, amount: '0.01' },
    description: 'شكرا جزيلا على العشاء',
  })
  for (let n = 1; n <= 12; n++)
    await move({ type: 'withdrawal', account_id: everyday, amount: `${n}.50`, description: `谢谢 ${n}` })
  await rich.bank.post('/api/holds', {
    body: {
      account_id: everyday,
      amount: '1500.00',
      description: 'Hotel in Bad Oberdorf, three weeks in July',
    },
  })
  for (const [to, description, schedule] of [
    [savings, 'Savings plan', { every: 'month', on: 31 }],
    [theirs, 'Rent of the flat over the old bakery', { every: 'week', on: 1, at: '09:00' }],
  ] as const)
    await rich.bank.post('/api/orders', {
      body: { account_id: everyday, to_account_id: to, amount: '1234.50', description, schedule },
    })
  const { number } = await arab.bank.get('/api/accounts/{id}', { params: { id: theirs } })
  const payee = await rich.bank.get('/api/payees', { query: { number } })
  await rich.bank.post('/api/payments/create', {
    body: {
      ...{ account_id: everyday, payee_account_id: payee.account_id, amount: '75.00', currency: 'USD' },
      description: 'A lamp',
    },
    idempotencyKey: randomUUID(),
  })
  await rich.bank.post('/api/payments/payout', {
    body: {
      account_id: everyday,
      items: [
        { to_account_id: theirs, amount: '10.00', note: 'Wages for November' },
        {
          email: 'nobody.with.a.very.long.address.indeed@an-equally-long-domain.example.com',
          amount: '1.00',
        },
      ],
    },
    idempotencyKey: randomUUID(),
  })
  await rich.bank.post('/api/webhooks', {
    body: {
      url: 'https://a-host-with-a-long-name.example.com/hooks/of/the/whole/household?token=4f1c7a9e',
      types: ['document.deleted', 'payment.expired', 'order.failed'],
    },
  })
  await rich.bank.post('/api/payments/top-ups', { body: { account_id: everyday, amount: '50.06' } })
  const name = 'A photograph of the contract with a name that is far too long for its place.png'
  await upload(bank, rich, name)
  await lettersThere(bank, token)
  const { event_id: event } = await rich.bank.get('/api/transactions/{id}', { params: { id: transfer } })
  const things = {
    accounts: everyday,
    transactions: transfer,
    transfers: transfer,
    events: event!,
    customers: rich.id,
  }
  return { rich, poor, things, theirNumber: number }
}

async function upload(bank: Bank, { token }: Customer, name: string): Promise<void> {
  const picture = { create: { width: 320, height: 200, channels: 3, background: '#0b5d4b' } } as const
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(await sharp(picture).png().toBuffer())]), name)
  const answer = await fetch(`${bank.url}/api/media/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() },
    body: form,
  })
  if (!answer.ok) throw new Error(`uploading answered ${answer.status}: ${await answer.text()}`)
}

/** Publishes an event that no consumer takes, because nobody has signed it. */
async function publishPoison(bank: Bank): Promise<void> {
  await bank.callHost('default-broker-ingress', 'POST', '/', {
    body: { ...transactionCompleted.example, user_id: randomUUID() },
    headers: {
      ...{ 'ce-specversion': '1.0', 'ce-id': randomUUID(), 'ce-type': 'transaction.completed' },
      'ce-source': '/microbank/ledger',
    },
  })
}

/** A letter becomes dead half a minute after it was published. */
async function lettersThere(bank: Bank, token: string): Promise<void> {
  await until(
    async () => {
      const { body } = await bank.call('GET', '/api/dead-letters/groups?status=stored', { token })
      return (body.items as unknown[]).length > 0
    },
    { timeoutMs: 240_000, everyMs: 500, what: 'a dead letter' },
  )
}
