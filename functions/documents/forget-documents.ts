import { userDeleted, type UserDeleted } from '../../eventing/contracts/user.deleted.ts'
import { operation } from '../host/operation.ts'

/** Records that a customer has left. Their documents may be many, and in a store that is away, so
 * sweep-documents deletes them. */
export default operation({
  name: 'forget-documents',
  context: 'documents',
  summary: 'Records that a customer has left the bank, so that their documents are deleted',
  consumes: {
    contracts: [userDeleted],
    async receive(event, { db }) {
      const { user_id: userId } = event.data as UserDeleted
      await db.query({
        name: 'customer-left',
        text: 'insert into left_customers (user_id) values ($1) on conflict do nothing',
        values: [userId],
      })
    },
  },
})
