import { createHash } from 'node:crypto'
import type { Checkpoint } from './checkpoint.ts'

/** Says whether a proof shows that the newer tree begins with all leaves of the older one (RFC 9162,
 * 2.1.4.2). Trees of the same size must have the same root; their proof is empty. */
export function isConsistent(older: Checkpoint, newer: Checkpoint, proof: readonly Buffer[]): boolean {
  if (older.size === newer.size) return proof.length === 0 && older.root.equals(newer.root)
  if (older.size < 1n || older.size > newer.size || proof.length === 0) return false
  const isComplete = (older.size & (older.size - 1n)) === 0n
  const [first, ...rest] = isComplete ? [older.root, ...proof] : proof
  let place = older.size - 1n
  let last = newer.size - 1n
  while (place & 1n) {
    place >>= 1n
    last >>= 1n
  }
  let olderRoot = first!
  let newerRoot = first!
  for (const node of rest) {
    if (last === 0n) return false
    if (place & 1n || place === last) {
      olderRoot = hashNode(node, olderRoot)
      newerRoot = hashNode(node, newerRoot)
      while (place !== 0n && !(place & 1n)) {
        place >>= 1n
        last >>= 1n
      }
    } else {
      newerRoot = hashNode(newerRoot, node)
    }
    place >>= 1n
    last >>= 1n
  }
  return last === 0n && olderRoot.equals(older.root) && newerRoot.equals(newer.root)
}

const hashNode = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256')
    .update(Buffer.concat([Buffer.from([1]), left, right]))
    .digest()
