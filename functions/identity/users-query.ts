import { pageQuery } from '../host/database/paging.ts'
import { uuidSchema } from '../host/schema.ts'

/** What operators may ask the list of users for. */
export const usersQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...pageQuery,
    query: {
      'x-personal': true,
      type: 'string',
      minLength: 1,
      maxLength: 254,
      description: 'Words that begin words of the name or the email address, in any order and case.',
    },
    account_number: {
      type: 'string',
      pattern: '^[1-9][0-9]{11}$',
      description: 'Number of an account of the user.',
    },
    id: {
      ...uuidSchema,
      description: 'Id of a user, or of an account, transaction, hold, order, payment or payout of theirs.',
    },
  },
} as const
