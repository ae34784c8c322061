/** The fields that several contracts share: of each its TypeScript type and its JSON Schema. */

/** A UUID as text (RFC 9562). */
export type Uuid = string
export const uuid = { type: 'string', format: 'uuid' } as const
export const uuidOrNull = { type: ['string', 'null'], format: 'uuid' } as const

/** Money that is not negative: a decimal string in the unit of `currency`, with as many decimals as that
 * currency has: `200.00` for USD. */
export type Amount = string
export const amount = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' } as const
export const amountOrNull = { anyOf: [amount, { type: 'null' }] } as const

/** Money that may be negative, written as an Amount with `-` before it. */
export type SignedAmount = string
export const signedAmount = { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?$' } as const
export const signedAmountOrNull = { anyOf: [signedAmount, { type: 'null' }] } as const

/** ISO 4217 code of a currency: three capital letters. */
export type Currency = string
export const currency = { type: 'string', pattern: '^[A-Z]{3}$' } as const

/** A currency; null stands for all. */
export const currencyOrNull = { type: ['string', 'null'], pattern: '^[A-Z]{3}$' } as const

/** A moment by RFC 3339, in UTC, with milliseconds: `2026-01-05T09:30:00.000Z`. */
export type Timestamp = string
export const timestamp = { type: 'string', format: 'date-time' } as const

/** A day by RFC 3339: `2026-01-05`. */
export type CalendarDate = string
export const calendarDateOrNull = { type: ['string', 'null'], format: 'date' } as const

export type TransactionType = 'deposit' | 'withdrawal' | 'transfer'
export const transactionType = { enum: ['deposit', 'withdrawal', 'transfer'] } as const

export type Role = 'customer' | 'operator'
export const role = { enum: ['customer', 'operator'] } as const

/** Text without a format of its own. */
export const text = { type: 'string' } as const
export const textOrNull = { type: ['string', 'null'] } as const

/** SHA-256 in hexadecimal digits. */
export type Sha256 = string
export const sha256 = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const

/** The media type of a document. */
export type DocumentMediaType =
  | 'image/png'
  | 'image/jpeg'
  | 'image/webp'
  | 'application/pdf'
  | 'text/csv'
  | 'application/xml'
export const documentMediaType = {
  enum: ['image/png', 'image/jpeg', 'image/webp', 'application/pdf', 'text/csv', 'application/xml'],
} as const
