import { text, textOrNull, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

/** What the events have in common that tell a change of an account's status. */
export interface AccountStatusChange {
  account_id: Uuid
  /** Owner of the account. */
  user_id: Uuid
  /** Why, in the words of the one who asked for it. */
  reason: string
  /** The user who asked for it: the owner, or an operator. */
  changed_by: Uuid
  timestamp: Timestamp
}

const required = ['account_id', 'user_id', 'reason', 'changed_by', 'timestamp']
const properties = { account_id: uuid, user_id: uuid, reason: text, changed_by: uuid, timestamp }

/** Schema of AccountStatusChange. */
export const accountStatusSchema = { type: 'object', additionalProperties: false, required, properties }

/** The same for a change for which nobody has to give a reason. */
export const accountStatusSchemaWithoutReason = {
  ...accountStatusSchema,
  properties: { ...properties, reason: textOrNull },
}

export const accountStatusExample: AccountStatusChange = {
  account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
  user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
  reason: 'Card reported stolen',
  changed_by: '01936f0a-7a2c-7b31-8c4d-3f5e6a7b8c9d',
  timestamp: '2026-02-03T10:15:00.000Z',
}
