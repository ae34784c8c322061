import { randomInt } from 'node:crypto'
import type { Database } from '../../functions/host/database/database.ts'
import { postTransactions } from '../../functions/ledger/posting/post.ts'
import type { PostingRequest } from '../../functions/ledger/posting/posting-request.ts'
import { indexTransactions } from '../../functions/ledger/transactions/search-index.ts'
import { transferOf, type Customer } from '../customers.ts'
import type { Progress } from '../progress.ts'
import { createBar } from './bar.ts'

const BATCH = 500
const CONNECTIONS = 2
/** Number of batches after which the events of all earlier ones are marked as published. */
const PUBLISHED_EVERY = 40
/** Share of the transfers that are young enough to still have their idempotency keys: the bank was filled
 * over ten weeks. */
const WITH_KEYS = 0.1
/** Share of the transfers that have a description and metadata, which can be searched. */
const WITH_TEXT = 0.1

export interface Growing {
  /** The ledger's database, opened as the functions open it, and opened as its owner. */
  ledger: Database
  owner: Database
  customers: readonly Customer[]
  progress: Progress
}

/** Grows the ledger until it holds `wanted` entries. It posts transfers of one dollar between random accounts
 * with the ledger's own function, so that each transfer leaves all that it leaves in the bank: two entries
 * with their hashes, the transaction. Some have a text, which is indexed. The events count as published.
 * Idempotency keys, which the bank forgets after a week, exist for the last tenth.
 *
 * Continues where an earlier call broke off. Returns the number of entries that exist then. */
export async function grow({ ledger, owner, customers, progress }: Growing, wanted: number): Promise<number> {
  let entries = await countEntries(owner)
  const bar = createBar(progress, { unit: 'entries', total: wanted })
  bar.at(entries)
  let batches = 0

  const post = async (own: readonly Customer[]): Promise<void> => {
    while (entries < wanted) {
      const hasKey = entries >= wanted * (1 - WITH_KEYS)
      const requests = Array.from({ length: BATCH }, () => transferBetween(own, hasKey))
      entries += 2 * BATCH
      await postAll(ledger, requests)
      bar.at(entries)
      if (++batches % PUBLISHED_EVERY !== 0) continue
      await owner.query({ text: 'truncate outbox_pending' })
      await indexTransactions(ledger, Infinity)
    }
  }
  // Each connection has customers of its own, so that no connection waits for accounts that another has
  // locked.
  const shares = Array.from({ length: CONNECTIONS }, (_, n) =>
    customers.filter((_customer, i) => i % CONNECTIONS === n),
  )
  await Promise.all(shares.map(post))
  await owner.query({ text: 'truncate outbox_pending' })
  await indexTransactions(ledger, Infinity)
  return countEntries(owner)
}

/** Returns the number of entries. An account's version counts its entries without gaps. */
export async function countEntries(owner: Database): Promise<number> {
  const [row] = await owner.query<{ count: string }>({
    text: 'select coalesce(sum(version), 0) as count from accounts',
  })
  return Number(row!.count)
}

async function postAll(ledger: Database, requests: PostingRequest[]): Promise<void> {
  const { outcomes } = await postTransactions(ledger, requests)
  const refused = outcomes.find(({ outcome }) => outcome !== 'posted')
  if (refused) throw new Error(`expected every transfer to be posted, got ${refused.outcome}`)
}

function transferBetween(customers: readonly Customer[], hasKey: boolean): PostingRequest {
  const payer = pick(customers)
  const from = pick(payer.accounts)
  for (;;) {
    const to = pick(pick(customers).accounts)
    if (to === from) continue
    const transfer = withText(transferOf(payer.userId, from, to))
    return hasKey ? transfer : { ...transfer, key_owner: null, key: null, request_hash: null }
  }
}

function withText(transfer: PostingRequest): PostingRequest {
  if (Math.random() >= WITH_TEXT) return transfer
  const order = randomInt(1_000_000)
  return {
    ...transfer,
    description: `Order ${order}, thanks`,
    metadata: { order, channel: pick(['web', 'app', 'desk']) },
  }
}

const pick = <Item>(items: readonly Item[]): Item => items[randomInt(items.length)]!
