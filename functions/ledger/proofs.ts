import type { Database } from '../host/database/database.ts'
import { operation, route } from '../host/operation.ts'
import { problem, ProblemError, problems, type ProblemType } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Caller } from '../host/route-request.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import { findAccount, ownerSeenBy } from './accounts/account.ts'
import {
  accountNotFound,
  holdProblems,
  postingProblems,
  refusal,
  transactionNotFound,
} from './posting/refusals.ts'
import { proofOfHolds } from './seals/hold-proof.ts'
import { holdProofSchema, proofOfHoldSchema, proofSchema } from './seals/proof-schema.ts'
import { proofOfAccount } from './seals/proof.ts'
import { proofProblems, type ProofWanted } from './seals/sealed-part.ts'

const version = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const
const versionsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { from: { ...version, default: 0 }, to: version },
} as const
const notCompleted: ProblemType = {
  name: 'transaction-not-completed',
  status: 409,
  title: 'The transaction has moved no money',
}

export default operation({
  name: 'proofs',
  context: 'ledger',
  summary: 'Proves what the books say, for anybody to check (docs/proof.md)',
  routes: [
    route({
      method: 'GET',
      path: '/accounts/{id}/proof',
      who: 'signed-in',
      summary:
        'Proof of an account’s entries after version `from`, up to the first sealed version from `to` on',
      params: idParams,
      query: versionsQuery,
      answers: { 200: proofSchema },
      problems: [postingProblems['account-not-found'], ...Object.values(proofProblems)],
      handle: ({ params: { id }, query, caller }, { db }) =>
        replyForAccount(proofOfAccount, db, id, query, caller),
    }),
    route({
      method: 'GET',
      path: '/accounts/{id}/holds/proof',
      who: 'signed-in',
      summary:
        'Proof of an account’s entries of holds after version `from`, up to the first sealed version from `to` on',
      params: idParams,
      query: versionsQuery,
      answers: { 200: holdProofSchema },
      problems: [postingProblems['account-not-found'], ...Object.values(proofProblems)],
      handle: ({ params: { id }, query, caller }, { db }) =>
        replyForAccount(proofOfHolds, db, id, query, caller),
    }),
    route({
      method: 'GET',
      path: '/holds/{id}/proof',
      who: 'signed-in',
      summary:
        'Proof of one hold, from the entry before its first up to its end; while it is open, up to the last seal. ' +
        'A long one comes in parts: `next_from` is `from` of the next',
      params: idParams,
      query: { type: 'object', additionalProperties: false, properties: { from: version } },
      answers: { 200: proofOfHoldSchema },
      problems: [holdProblems['hold-not-found'], ...Object.values(proofProblems)],
      handle: async ({ params: { id }, query: { from = 0 }, caller }, { db }) => {
        const found = await findHoldEntries(db, id, caller)
        if (!found) return refusal('hold-not-found')
        const { account_id: accountId, owner_id: ownerId, placed, ended } = found
        if (ended !== null && from >= ended)
          throw invalidVersion('/from', `must be less than ${ended}, the version of the hold’s end`)
        const proven = await proofOfHolds(db, accountId, {
          from: Math.max(from, Number(placed) - 1),
          to: Number(ended ?? placed),
          goesOn: ended === null,
          inParts: true,
        })
        if ('refusal' in proven) return proven.refusal
        const { proof, goesOn } = proven
        const body = { ...proof, next_from: goesOn ? proof.leaf.version : null }
        return { status: 200, body, about: { ownerId } }
      },
    }),
    route({
      method: 'GET',
      path: '/transactions/{id}/proof',
      who: 'signed-in',
      summary: 'Proof of one transaction, as an account’s entries from the one before it on',
      params: idParams,
      query: { type: 'object', additionalProperties: false, properties: { account_id: uuidSchema } },
      answers: { 200: proofSchema },
      problems: [postingProblems['account-not-found'], notCompleted, ...Object.values(proofProblems)],
      handle: async ({ params: { id }, query: { account_id: asked }, caller }, { db }) => {
        const found = await findEntry(db, id, asked, caller)
        if (!found) return transactionNotFound()
        if (!found.is_completed)
          return problem(
            notCompleted,
            'A transaction that is pending or was rejected has no entries to prove.',
          )
        if (found.version === null) return accountNotFound()
        const to = Number(found.version)
        return proofReply(proofOfAccount, db, found.owner_id, found.account_id!, { from: to - 1, to })
      },
    }),
  ],
})

/** Proves a part of what is sealed of an account. */
type Prove = typeof proofOfAccount | typeof proofOfHolds

async function replyForAccount(
  prove: Prove,
  db: Database,
  id: string,
  { from, to }: Pick<ProofWanted, 'from' | 'to'>,
  caller: Caller,
): Promise<Reply> {
  if (to !== undefined && to < from) throw invalidVersion('/to', 'must not be less than `from`')
  const account = await findAccount(db, id, caller)
  return account ? proofReply(prove, db, account.user_id, account.id, { from, to }) : accountNotFound()
}

async function proofReply(
  prove: Prove,
  db: Database,
  ownerId: string | null,
  accountId: string,
  wanted: ProofWanted,
): Promise<Reply> {
  const proven = await prove(db, accountId, wanted)
  return 'refusal' in proven ? proven.refusal : { status: 200, body: proven.proof, about: { ownerId } }
}

type FoundEntry = {
  is_completed: boolean
  account_id: string | null
  /** Owner of the account; null if it is the bank's. */
  owner_id: string | null
  version: bigint | null
}

/** Finds the first entry of a transaction on an account: the one asked for, or else the one that it names
 * first and that the caller may see. `version` is null if there is none; undefined if the caller may not see
 * the transaction.
 *
 * The entries have no index by transaction. They are found by its time, among those of the same moment. */
async function findEntry(
  db: Database,
  id: string,
  asked: string | undefined,
  caller: Caller,
): Promise<FoundEntry | undefined> {
  const [row] = await db.query<FoundEntry>({
    name: 'proof-entry',
    text: `select t.balance_after is not null as is_completed, e.account_id, e.owner_id, e.version
      from transactions t
      left join lateral (
        select e.account_id, a.user_id as owner_id, e.version
        from unnest(case when $3::uuid is null then array[t.account_id, t.to_account_id] else array[$3::uuid] end)
          with ordinality named (id, place)
        join accounts a on a.id = named.id and ($2::uuid is null or a.user_id = $2)
        cross join lateral (
          select e.account_id, e.version from entries e
          where e.account_id = a.id and e.transaction_id = t.id
            and e.version > (select version_at(a, t.created_at - interval '1 microsecond'))
            and e.version <= (select version_at(a, t.created_at))
          order by e.version limit 1
        ) e
        order by named.place limit 1
      ) e on true
      where t.id = $1 and ($2::uuid is null or $2 in (t.user_id, t.to_user_id))`,
    values: [id, ownerSeenBy(caller), asked ?? null],
  })
  return row
}

type FoundHold = {
  account_id: string
  owner_id: string
  /** Versions of the entries that say that the hold was placed, and that it ended; null while it is open. */
  placed: bigint
  ended: bigint | null
}

/** Finds the entries of a hold; undefined if there is none, or the caller may not see it. */
async function findHoldEntries(db: Database, id: string, caller: Caller): Promise<FoundHold | undefined> {
  const [row] = await db.query<FoundHold>({
    name: 'proof-hold',
    text: `select h.account_id, h.user_id as owner_id, placed.version as placed, ended.version as ended
      from holds h
      join hold_entries placed on placed.id = h.id
      left join hold_entries ended on ended.hold_id = h.id and ended.id <> ended.hold_id
      where h.id = $1 and ($2::uuid is null or h.user_id = $2)`,
    values: [id, ownerSeenBy(caller)],
  })
  return row
}

const invalidVersion = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query does not match what this operation accepts.', {
    errors: [{ path, message }],
  })
