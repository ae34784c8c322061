import { lengths, type Ratio } from '../bench.ts'
import { proveLedger } from '../databases.ts'
import { inTurns } from '../rounds.ts'
import { loadTransfers, startLedger } from '../transfer-load.ts'

/** Transfers that all go to one account, against transfers spread over all accounts. */
export const hotAccount: Ratio = {
  id: 'hot-account',
  needs: ['wrk'],
  async run(bench) {
    const { rounds: count } = lengths(bench)
    const ledger = await startLedger(bench)
    const [toAccount] = ledger.customers[0]!.accounts
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`hot-account: round ${round + 1} of ${count}, to one account`)
        return loadTransfers(bench, ledger, { toAccount: toAccount! })
      },
      () => {
        bench.progress.step('hot-account: to any account')
        return loadTransfers(bench, ledger)
      },
    )
    await proveLedger(bench, ledger.databases)
    return [
      {
        id: 'hot-account',
        name: 'One hot account : 10,000 accounts',
        unit: 'per second',
        goal: { ratio: 0.9, better: 'higher' },
        rounds: rounds.map(({ ours, floor }) => ({ ours: ours.perSecond, floor: floor.perSecond })),
        latency: rounds[0]!.ours.latency,
      },
    ]
  },
}
