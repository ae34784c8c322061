import type { EventContract } from './contract.ts'
import { text, timestamp, type Timestamp } from './fields.ts'

export interface LedgerSealed {
  /** Number of the seal: 1, 2, 3, ... */
  seal: number
  /** Leaves of the tree that was sealed. */
  size: number
  /** The signed note that was published: it holds the size and the root. */
  checkpoint: string
  /** Size of the tree at the seal before; 0 for the first seal. */
  old_size: number
  /** Proof that the tree only grew since the seal before: hashes in hex (RFC 9162, 2.1.4). */
  consistency: string[]
  timestamp: Timestamp
}

const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const

export const ledgerSealed: EventContract<LedgerSealed> = {
  type: 'ledger.sealed',
  version: 1,
  context: 'ledger',
  description:
    'The ledger published a signed root over the histories of all accounts, which customers can check.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['seal', 'size', 'checkpoint', 'old_size', 'consistency', 'timestamp'],
    properties: {
      seal: { type: 'integer', minimum: 1 },
      size: { type: 'integer', minimum: 1 },
      checkpoint: text,
      old_size: { type: 'integer', minimum: 0 },
      consistency: { type: 'array', items: hash, maxItems: 128 },
      timestamp,
    },
  },
  example: {
    seal: 2,
    size: 3,
    checkpoint:
      'microbank.dev/ledger\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '— microbank.dev/ledger Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n',
    old_size: 2,
    consistency: ['5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e'],
    timestamp: '2026-01-05T10:00:00.000Z',
  },
}
