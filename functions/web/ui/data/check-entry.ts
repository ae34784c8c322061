import { BankProblem } from '../../client/index.ts'
import { toMinorUnits } from '../money/money.ts'
import { ProofError } from '../proof/bytes.ts'
import { isHashRight } from '../proof/entry-hash.ts'
import { verifyProof, type Proven } from '../proof/verify-proof.ts'
import { api } from './api.ts'
import type { Entry } from './transactions.ts'

export type ProofCheck =
  | ({ is: 'right'; key: string } & Proven)
  | { is: 'wrong'; reason: string }
  | { is: 'not-sealed' }
  /** The browser can't check the signature. */
  | { is: 'no-ed25519' }

export interface EntryCheck {
  isHashRight: boolean
  proof: ProofCheck
}

/** Checks an entry of an account: its hash, and the proof that it is under a signed root (docs/proof.md).
 * Rejects with a BankProblem if the bank doesn't give the proof. */
export async function checkEntry(
  transactionId: string,
  accountId: string,
  entry: Entry,
): Promise<EntryCheck> {
  const [isRight, proof] = await Promise.all([
    isHashRight({
      accountId,
      version: entry.version,
      transactionId: entry.transaction_id,
      amount: toMinorUnits(entry.amount, entry.currency),
      balanceAfter: toMinorUnits(entry.balance_after, entry.currency),
      timestamp: entry.timestamp,
      valueDate: entry.value_date,
      hash: entry.hash,
      previousHash: entry.previous_hash,
    }),
    checkProof(transactionId, accountId, entry),
  ])
  return { isHashRight: isRight, proof }
}

async function checkProof(id: string, accountId: string, entry: Entry): Promise<ProofCheck> {
  try {
    const [proof, keys] = await Promise.all([
      api.get('/api/transactions/{id}/proof', { params: { id }, query: { account_id: accountId } }),
      api.raw('GET /.well-known/microbank-seal-keys').then((answer) => answer.text()),
    ])
    const minor = (amount: string): string => String(toMinorUnits(amount, entry.currency))
    const isOfEntry = proof.entries.some(
      (proven) =>
        proven.version === entry.version &&
        proven.transaction_id === id &&
        proven.amount_minor === minor(entry.amount) &&
        proven.balance_after_minor === minor(entry.balance_after),
    )
    if (proof.account !== accountId || !isOfEntry)
      return { is: 'wrong', reason: 'it is the proof of another entry' }
    return await tryKeys(proof, keys.trim().split('\n'))
  } catch (error) {
    if (error instanceof BankProblem && error.is('not-yet-sealed')) return { is: 'not-sealed' }
    if (error instanceof DOMException && error.name === 'NotSupportedError') return { is: 'no-ed25519' }
    throw error
  }
}

/** Tries each key of the bank: while keys change, a proof holds under one of them. */
async function tryKeys(
  proof: Parameters<typeof verifyProof>[0],
  keys: readonly string[],
): Promise<ProofCheck> {
  let reason = 'the bank has no key'
  for (const key of keys)
    try {
      return { is: 'right', key, ...(await verifyProof(proof, key)) }
    } catch (error) {
      if (!(error instanceof ProofError)) throw error
      reason = error.message
    }
  return { is: 'wrong', reason }
}
