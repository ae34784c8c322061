import type { Caller } from '../../host/route-request.ts'
import { feeRulesSchema, toRules, type FeeRules } from './fee-rules.ts'
import { postedTypes } from '../transactions/transaction.ts'

/** Schema of one version of a fee as it is answered. */
export const feeSchema = {
  title: 'Fee',
  type: 'object',
  additionalProperties: false,
  required: ['version', 'currency', 'type', 'rules', 'valid_from', 'set_by', 'reason'],
  properties: {
    version: { type: 'integer' },
    currency: { type: 'string' },
    type: { enum: postedTypes },
    rules: { anyOf: [feeRulesSchema, { type: 'null' }] },
    valid_from: { type: 'string', format: 'date-time' },
    // Null for customers.
    set_by: { type: ['string', 'null'] },
    reason: { type: ['string', 'null'] },
  },
} as const

/** A row of fee_policies. */
export interface FeeRow {
  version: bigint
  currency: string
  type: (typeof postedTypes)[number]
  rules: FeeRules | null
  valid_from: Date
  set_by: string
  set_at: Date
  reason: string
}

/** Returns a version of a fee as the API shows it. Who set it and why is for operators. */
export const toFee = (row: FeeRow, caller: Caller) => ({
  version: Number(row.version),
  currency: row.currency,
  type: row.type,
  rules: row.rules && toRules(row.rules, row.currency),
  valid_from: row.valid_from.toISOString(),
  set_by: caller.role === 'operator' ? row.set_by : null,
  reason: caller.role === 'operator' ? row.reason : null,
})
