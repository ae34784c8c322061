import { operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { seal, sealAccounts, sealHolds, type SealingRound } from './seals/seal.ts'

/** Milliseconds for the accounts' entries, and for their holds. The rest of the 30 s that a function has is
 * for the seal. */
const ENTRIES_MS = 10_000
const HOLDS_MS = 5_000

/** Appends the accounts' last hashes, and those of their holds, to the tree, signs its root and publishes it.
 * A PingSource calls it every hour. */
export default operation({
  name: 'seal-ledger',
  context: 'ledger',
  summary: 'Seals the histories of all accounts with one signed root',
  needs: ['SEAL_SIGNING_KEY'],
  consumes: {
    contracts: 'any',
    async receive(_event, tools, _state, { traceparent }) {
      const entries = await sealAccounts(tools, ENTRIES_MS)
      say(
        entries,
        'accounts were not sealed, because their entries are not those that were posted',
        tools.log,
      )
      const holds = await sealHolds(tools, HOLDS_MS)
      say(
        holds,
        'the holds of accounts were not sealed, because their entries are not those that were written',
        tools.log,
      )
      if (!(entries.isComplete && holds.isComplete))
        tools.log.warn('the time was over before all accounts were sealed; the next seal goes on')
      const n = await seal(tools, traceparent)
      if (n !== undefined)
        tools.log.info('sealed the ledger', { seal: Number(n), leaves: entries.leaves + holds.leaves })
    },
  },
})

function say({ broken }: SealingRound, what: string, log: Tools['log']): void {
  if (broken.length > 0) log.error(what, { accounts: broken.slice(0, 100), count: broken.length })
}
