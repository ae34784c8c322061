import type { Proof } from '../../client/api.ts'
import {
  fromBase64,
  fromHex,
  fromInteger,
  fromUuid,
  must,
  sha256,
  toBase64,
  toHex,
  type Bytes,
} from './bytes.ts'
import { hashEntry } from './entry-hash.ts'

/** Checks a proof of the bank in the page, as docs/verify-statement.mjs does outside of it. Needs
 * crypto.subtle, which pages without TLS don't have (except on localhost). */

export interface Proven {
  /** Number of leaves of the tree, and its root in base64, to compare with another witness. */
  size: number
  root: string
  /** The last version that the proof covers. */
  version: number
  balanceMinor: bigint
}

/** Checks a proof with a public key (`name+id+key`). Resolves with what it proves; rejects with a ProofError
 * if it doesn't hold. */
export async function verifyProof(proof: Proof, key: string): Promise<Proven> {
  const { version, balance, hash } = await followEntries(proof)
  const { leaf } = proof
  must(leaf.version === version && leaf.hash === toHex(hash), 'the entries do not lead to the leaf')
  const { size, root } = await openCheckpoint(proof.checkpoint, key)
  const node = await sha256(Uint8Array.of(0), fromUuid(proof.account), fromInteger(version), hash)
  const top = await followPath(node, leaf.index, size, proof.path)
  must(toBase64(top) === root, 'the path does not lead to the signed root')
  return { size, root, version, balanceMinor: balance }
}

/** Follows the entries from the opening, and returns where they end. */
async function followEntries({ account, opening, entries }: Proof) {
  let { version } = opening
  let balance = BigInt(opening.balance_minor)
  let hash = fromHex(opening.hash, 32)
  must(entries.length > 0 && String(balance) === opening.balance_minor, 'the opening balance is not proved')
  for (const entry of entries) {
    must(entry.version === ++version, `not entry ${version}: ${entry.version}`)
    const amount = BigInt(entry.amount_minor)
    balance += amount
    must(entry.amount_minor === String(amount), `not an amount: ${entry.amount_minor}`)
    must(entry.balance_after_minor === String(balance), `wrong balance after entry ${version}`)
    must(/\.\d{6}Z$/.test(entry.created_at), `not a time: ${entry.created_at}`)
    hash = await hashEntry({
      previousHash: hash,
      accountId: account,
      version,
      transactionId: entry.transaction_id,
      amount,
      balanceAfter: balance,
      createdAt: entry.created_at,
      valueDate: entry.value_date,
    })
  }
  return { version, balance, hash }
}

/** Follows a Merkle path (RFC 9162, section 2.1.3.2) from a leaf to the root. */
async function followPath(leaf: Bytes, index: number, size: number, path: readonly string[]): Promise<Bytes> {
  let [node, place, last] = [leaf, index, size - 1]
  must(Number.isSafeInteger(place) && place >= 0 && place <= last, 'the leaf is not in the tree')
  const up = (): void => {
    place = Math.floor(place / 2)
    last = Math.floor(last / 2)
  }
  for (const text of path) {
    must(last > 0, 'the path is too long')
    const sibling = fromHex(text, 32)
    const isLeft = place % 2 === 0 && place < last
    node = await sha256(Uint8Array.of(1), ...(isLeft ? [node, sibling] : [sibling, node]))
    while (!isLeft && place % 2 === 0 && place > 0) up()
    up()
  }
  must(last === 0, 'the path does not lead to the signed root')
  return node
}

/** Returns the size and the root of a checkpoint that the key has signed (c2sp.org/tlog-checkpoint). */
async function openCheckpoint(checkpoint: string, key: string): Promise<{ size: number; root: string }> {
  const [name = '', id, ...rest] = key.trim().split('+')
  const publicKey = await importKey(fromBase64(rest.join('+')).subarray(1))
  const [, text, signed = ''] = /^([^]*\n)\n([^]*)$/.exec(checkpoint) ?? []
  must(text, 'the checkpoint is no signed note')
  const own = signed
    .split('\n')
    .filter((line) => line.startsWith(`— ${name} `))
    .map((line) => fromBase64(line.split(' ')[2] ?? ''))
    .filter((bytes) => toHex(bytes.subarray(0, 4)) === id)
  const judged = await Promise.all(
    own.map((bytes) =>
      crypto.subtle.verify('Ed25519', publicKey, bytes.subarray(4), new TextEncoder().encode(text)),
    ),
  )
  must(judged.length > 0 && judged.every(Boolean), 'the key has not signed the checkpoint')
  const [origin, size, root = '', ...more] = text.split('\n')
  must(origin === name && more.join('') === '', `not a checkpoint of ${name}`)
  return { size: Number(size), root }
}

const importKey = (bytes: Bytes) => crypto.subtle.importKey('raw', bytes, 'Ed25519', false, ['verify'])
