import type { Database } from '../host/database/database.ts'
import { operation, route } from '../host/operation.ts'
import { problem, ProblemError, problems, type ProblemType } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Caller } from '../host/route-request.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import { findAccount, ownerSeenBy } from './accounts/account.ts'
import { accountNotFound, postingProblems, transactionNotFound } from './posting/refusals.ts'
import { proofSchema } from './seals/proof-schema.ts'
import { proofOfAccount, proofProblems, type ProofWanted } from './seals/proof.ts'

const version = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const
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
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { from: { ...version, default: 0 }, to: version },
      },
      answers: { 200: proofSchema },
      problems: [postingProblems['account-not-found'], ...Object.values(proofProblems)],
      handle: async ({ params: { id }, query: { from, to }, caller }, { db }) => {
        if (to !== undefined && to < from) throw invalidVersion('/to', 'must not be less than `from`')
        const account = await findAccount(db, id, caller)
        return account ? proofReply(db, account.user_id, account.id, { from, to }) : accountNotFound()
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
        return proofReply(db, found.owner_id, found.account_id!, { from: to - 1, to })
      },
    }),
  ],
})

async function proofReply(
  db: Database,
  ownerId: string | null,
  accountId: string,
  wanted: ProofWanted,
): Promise<Reply> {
  const proven = await proofOfAccount(db, accountId, wanted)
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

const invalidVersion = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query does not match what this operation accepts.', {
    errors: [{ path, message }],
  })
