import type { FieldError } from '../../host/problems.ts'
import type { Infer } from '../../host/schema.ts'
import { amountOrZeroSchema, checkAmount, formatAmount } from '../../host/values/money.ts'

const TIERS_MAX = 20

const amountOrNull = { anyOf: [...amountOrZeroSchema.anyOf, { type: 'null' }] } as const
const percentSchema = {
  anyOf: [
    {
      type: 'string',
      maxLength: 40,
      'x-contract': { pattern: '^([1-9]?[0-9](\\.[0-9]{1,4})?|100(\\.0{1,4})?)$' },
    },
    { type: 'number', 'x-contract': { minimum: 0, maximum: 100 } },
  ],
} as const
const stringOrNull = { type: ['string', 'null'] } as const

const givenTerms = {
  fixed: amountOrZeroSchema,
  percent: percentSchema,
  minimum: amountOrNull,
  maximum: amountOrNull,
} as const

/** Schema of the rules of a fee as an operator gives them. */
export const givenRulesSchema = {
  title: 'GivenFeeRules',
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    ...givenTerms,
    tiers: {
      type: 'array',
      maxItems: TIERS_MAX,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['from'],
        properties: { from: amountOrZeroSchema, ...givenTerms },
      },
    },
  },
} as const

export type GivenRules = Infer<typeof givenRulesSchema>
type GivenTerms = Omit<GivenRules, 'tiers'>

const shownTerms = {
  fixed: { type: 'string' },
  percent: { type: 'string' },
  minimum: stringOrNull,
  maximum: stringOrNull,
} as const
const termNames = ['fixed', 'percent', 'minimum', 'maximum'] as const

/** Schema of the rules of a fee as they are answered. */
export const feeRulesSchema = {
  title: 'FeeRules',
  type: 'object',
  additionalProperties: false,
  required: [...termNames, 'tiers'],
  properties: {
    ...shownTerms,
    tiers: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['from', ...termNames],
        properties: { from: { type: 'string' }, ...shownTerms },
      },
    },
  },
} as const

export type ShownRules = Infer<typeof feeRulesSchema>
type ShownTerms = Omit<ShownRules, 'tiers'>

/** Terms of a fee as the database has them: minor units, and the share in millionths of the amount. */
interface Terms {
  fixed: number
  share: number
  minimum: number | null
  maximum: number | null
}

/** Rules of a fee as fee_of() takes them. The numbers are exact: amounts have at most 10^15 minor units. */
export interface FeeRules extends Terms {
  tiers: (Terms & { from: number })[]
}

/** Reads the rules that an operator gave; `at` is the JSON pointer to them. What is wrong is added to
 * `faults`, and then the result is of no use. */
export function readRules(given: GivenRules, currency: string, at: string, faults: FieldError[]): FeeRules {
  const amount = (value: string | number, path: string): number => {
    const checked = checkAmount(value, currency, path, { zero: true })
    if ('minorUnits' in checked) return Number(checked.minorUnits)
    faults.push(checked)
    return 0
  }
  const terms = (from: GivenTerms, path: string): Terms => {
    const { fixed = 0, percent = 0, minimum = null, maximum = null } = from
    const read = {
      fixed: amount(fixed, `${path}/fixed`),
      share: readPercent(percent, `${path}/percent`, faults),
      minimum: minimum === null ? null : amount(minimum, `${path}/minimum`),
      maximum: maximum === null ? null : amount(maximum, `${path}/maximum`),
    }
    if (read.minimum !== null && read.maximum !== null && read.minimum > read.maximum)
      faults.push({ path: `${path}/maximum`, message: 'must not be less than the minimum' })
    return read
  }
  const tiers = (given.tiers ?? []).map((tier, i) => ({
    from: amount(tier.from, `${at}/tiers/${i}/from`),
    ...terms(tier, `${at}/tiers/${i}`),
  }))
  tiers.forEach((tier, i) => {
    if (i > 0 && tier.from <= tiers[i - 1]!.from)
      faults.push({ path: `${at}/tiers/${i}/from`, message: 'must be more than that of the tier before' })
  })
  return { ...terms(given, at), tiers }
}

const PERCENT = /^(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,4}))?$/
const WHOLE = 1_000_000

/** Reads a percentage with at most four decimals, and returns it in millionths of the whole. */
function readPercent(percent: string | number, path: string, faults: FieldError[]): number {
  const [, whole, decimals = ''] = PERCENT.exec(String(percent)) ?? []
  const share = Number(`${whole}${decimals.padEnd(4, '0')}`)
  if (share <= WHOLE) return share
  faults.push({ path, message: 'must be a number from 0 to 100 with at most 4 decimals, like "2.9"' })
  return 0
}

/** Returns rules as the API shows them. */
export function toRules({ tiers, ...terms }: FeeRules, currency: string): ShownRules {
  const amount = (minorUnits: number): string => formatAmount(BigInt(minorUnits), currency)
  const shown = ({ fixed, share, minimum, maximum }: Terms): ShownTerms => ({
    fixed: amount(fixed),
    percent: toPercent(share),
    minimum: minimum === null ? null : amount(minimum),
    maximum: maximum === null ? null : amount(maximum),
  })
  return { ...shown(terms), tiers: tiers.map((tier) => ({ from: amount(tier.from), ...shown(tier) })) }
}

/** Formats millionths of the whole as a percentage, without zeros at its end: 29000 is '2.9'. */
function toPercent(share: number): string {
  const digits = String(share).padStart(5, '0')
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`.replace(/\.?0+$/, '')
}
