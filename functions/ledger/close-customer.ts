import { userDeleted, type UserDeleted } from '../../eventing/contracts/user.deleted.ts'
import { operation } from '../host/operation.ts'

/** Records that a customer has left. Their access token stays valid for some minutes and must open no
 * account. This writes the row that open_account() locks, so an opening either commits before, or is
 * refused. */
export default operation({
  name: 'close-customer',
  context: 'ledger',
  summary: 'Records that a customer has left the bank, so that no more accounts are opened for them',
  consumes: {
    contracts: [userDeleted],
    async receive(event, { db, log }) {
      const customer = event.data as UserDeleted
      // One statement: the event counts as received when its effect is committed, and takes effect once.
      const [closed] = await db.query<{ accounts: bigint }>({
        name: 'customer-close',
        text: `with received as (
            insert into inbox (source, event_id, consumer) values ($1, $2, 'close-customer')
              on conflict do nothing returning event_id
          )
          select close_customer($3, $4) as accounts from received`,
        values: [event.source, event.id, customer.user_id, customer.deleted_at],
      })
      // These were opened after identity had asked for them and before this event. They stay the customer's,
      // and an operator must close them.
      if (closed && closed.accounts > 0n)
        log.warn('a customer who has left still has accounts', {
          user_id: customer.user_id,
          accounts: Number(closed.accounts),
        })
    },
  },
})
