import { orNull } from '../../host/schema.ts'

/** The other side of a movement, as far as it is a customer's account. */
export const counterpartySchema = {
  title: 'Counterparty',
  type: 'object',
  additionalProperties: false,
  required: ['number', 'name'],
  properties: {
    // Of the account.
    number: { type: 'string' },
    // What its owner calls the account; null if it has no name, or another owner.
    name: orNull({ type: 'string' }),
  },
} as const

/** SQL that joins the customer's account with the id `accountId` as `other`: each is looked up by itself, so
 * that no plan reads all accounts. */
export const counterpartyOf = (accountId: string): string => `left join lateral (
    select number, name, user_id from accounts where id = ${accountId} and kind = 'customer' offset 0
  ) other on true`

interface CounterpartyRow {
  counterparty_number: bigint | null
  counterparty_name: string | null
}

/** Returns the other side as the API shows it; null if it is the bank itself. */
export const toCounterparty = ({ counterparty_number: number, counterparty_name: name }: CounterpartyRow) =>
  number === null ? null : { number: String(number), name }
