import { createClient } from '../../functions/web/client/index.ts'
import { smoke } from './smoke.ts'

/**
 * The program of the smoke test. `skaffold verify` runs it inside the cluster, `npm run cluster:smoke` from
 * outside.
 */
const url = process.argv[2] ?? 'http://front-door.bank.127.0.0.1.sslip.io'

// Several functions may have to start first, one after the other.
const bank = createClient({ url, timeoutMs: 60_000, totalMs: 120_000 })
smoke(bank, { timeoutMs: 120_000, log: (step) => console.log(step) }).catch((error: Error) => {
  console.error(`smoke: ${error.message}`)
  process.exitCode = 1
})
