import { operation } from '../host/operation.ts'
import { seal, sealAccounts } from './seals/seal.ts'

/** Milliseconds for the accounts. The rest of the 30 s that a function has is for the seal. */
const ROUND_MS = 15_000

/** Appends the accounts' last hashes to the tree, signs its root and publishes it. A PingSource calls it
 * every hour. */
export default operation({
  name: 'seal-ledger',
  context: 'ledger',
  summary: 'Seals the histories of all accounts with one signed root',
  needs: ['SEAL_SIGNING_KEY'],
  consumes: {
    contracts: 'any',
    async receive(_event, tools, _state, { traceparent }) {
      const { leaves, broken, isComplete } = await sealAccounts(tools, ROUND_MS)
      if (broken.length > 0)
        tools.log.error('accounts were not sealed, because their entries are not those that were posted', {
          accounts: broken.slice(0, 100),
          count: broken.length,
        })
      if (!isComplete)
        tools.log.warn('the time was over before all accounts were sealed; the next seal goes on')
      const n = await seal(tools, traceparent)
      if (n !== undefined) tools.log.info('sealed the ledger', { seal: Number(n), leaves })
    },
  },
})
