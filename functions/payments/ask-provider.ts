import { providerDue, type ProviderDue } from '../../eventing/contracts/provider.due.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { operation } from '../host/operation.ts'
import { sayLeftUnderWay } from './left-under-way.ts'
import { isStep, readProviderTransfer } from './providers/provider-transfer.ts'
import { askAgain, settleTransfer } from './providers/settle.ts'

/** Does what is due of a top-up or withdrawal: asks the ledger to book what the provider has settled, or the
 * provider what has become of it. The event only says that something is due, so one that comes twice, late
 * or never does no harm: a sweep sends another. */
export default operation({
  name: 'ask-provider',
  context: 'payments',
  summary: 'Goes on with top-ups and withdrawals: books what is settled, and asks for what was not heard of',
  needs: ['PAYMENTS_CALL_KEY'],
  consumes: {
    contracts: [providerDue],
    async receive(event, tools, _state, { traceparent }) {
      const { transfer_id: id } = event.data as ProviderDue
      const transfer = await readProviderTransfer(tools.db, id)
      if (!transfer) return
      try {
        if (isStep(transfer.status)) await settleTransfer(transfer, tools, traceparent)
        else if (transfer.status === 'pending') await askAgain(transfer, tools, traceparent)
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        sayLeftUnderWay(tools, 'transfer', { ...transfer, traceparent, reason: error })
      }
    },
  },
})
