import { userDeleted, type UserDeleted } from '../../eventing/contracts/user.deleted.ts'
import { operation } from '../host/operation.ts'

/** Remembers that a customer has left: their access token is good for some minutes more, and must open no
 * account. The row that this writes is the one that open_account() locks, so an opening is either committed
 * before, or refused. */
export default operation({
  name: 'close-customer',
  context: 'ledger',
  summary: 'Notes that a customer has left the bank, so that no account is opened for them any more',
  consumes: {
    contracts: [userDeleted],
    async receive(event, { db, log }) {
      const customer = event.data as UserDeleted
      // One statement: the event counts as received when its effect is committed, and has it once.
      const [closed] = await db.query<{ accounts: bigint }>({
        name: 'customer-close',
        text: `with received as (
            insert into inbox (source, event_id, consumer) values ($1, $2, 'close-customer')
              on conflict do nothing returning event_id
          )
          select close_customer($3, $4) as accounts from received`,
        values: [event.source, event.id, customer.user_id, customer.deleted_at],
      })
      // Opened after identity had asked for them and before this. They stay the customer's; an operator sees
      // to them.
      if (closed && closed.accounts > 0n)
        log.warn('a customer who has left still has accounts', {
          user_id: customer.user_id,
          accounts: Number(closed.accounts),
        })
    },
  },
})
