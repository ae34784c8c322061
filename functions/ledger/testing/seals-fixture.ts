import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint, type Checkpoint } from '../../host/transparency/checkpoint.ts'
import { deliverTick } from '../../../tests/support/events.ts'
import { sealKey, startFunction, type TestFunction } from '../../../tests/support/host.ts'
import { ROOT } from '../../../tests/support/repository.ts'
import type { HoldProof } from '../seals/hold-proof.ts'
import type { AccountProof } from '../seals/proof.ts'
import sealLedger from '../seal-ledger.ts'
import type { TestLedger } from './ledger-fixture.ts'

/** The function seal-ledger on a test's ledger. */
export interface TestSealer extends TestFunction {
  /** Has everything checked, and seals it as a PingSource would have it done. Returns the last checkpoint. */
  seal(): Promise<Checkpoint>
  /** Resolves with the status of the answer. */
  ping(): Promise<number>
}

export async function startSealer(ledger: TestLedger, env: Record<string, string> = {}): Promise<TestSealer> {
  const host = await startFunction(sealLedger, {
    LEDGER_DATABASE_URL: ledger.database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
    ...env,
  })
  const ping = async (): Promise<number> => (await deliverTick(host, 'seal-ledger')).status
  return {
    ...host,
    ping,
    async seal() {
      await check(ledger)
      const status = await ping()
      if (status !== 204) throw new Error(`expected 204 of seal-ledger, got ${status}`)
      return lastCheckpoint(ledger)
    },
  }
}

/** Checks all accounts, as the guard does: only what was checked is sealed. */
export async function check(ledger: TestLedger): Promise<void> {
  await ledger.owner.query({
    text: 'select check_accounts(array(select id from accounts where version > 0))',
  })
}

/** Returns the last checkpoint, after checking its signature. */
export async function lastCheckpoint(ledger: TestLedger): Promise<Checkpoint> {
  const [row] = await ledger.db.query<{ note: string }>({
    text: 'select note from seals order by n desc limit 1',
  })
  return openCheckpoint(row!.note, [sealKey.verifier])
}

/** Changes the books as the owner of the database can, behind the triggers. */
export async function tamper(
  ledger: TestLedger,
  table: string,
  text: string,
  values: unknown[] = [],
): Promise<void> {
  await ledger.owner.query({ text: `alter table ${table} disable trigger user` })
  await ledger.owner.query({ text, values })
  await ledger.owner.query({ text: `alter table ${table} enable trigger user` })
}

/** Lets a hold expire, if it is open. No function changes when one does. */
export async function expireHold(ledger: TestLedger, { id }: { id: string }): Promise<void> {
  const due = `update holds set expires_at = now() - interval '1 second' where id = $1 and status = 'open'`
  await tamper(ledger, 'holds', due, [id])
  await ledger.db.query({ text: 'select expire_holds()' })
}

/** What docs/verify-statement.mjs does with a proof: throws unless it holds. */
export type VerifyProof = (proof: AccountProof | HoldProof, key: string) => string

/** Loads the verifier that customers get. */
export async function loadVerifier(): Promise<VerifyProof> {
  const { verifyProof } = (await import(join(ROOT, 'docs/verify-statement.mjs'))) as {
    verifyProof: VerifyProof
  }
  return verifyProof
}

/** Runs the verifier as a customer does, with a file for each proof in `folder`. Returns what it says of
 * each: 'holds', or why not. */
export async function runVerifier(
  folder: string,
  proofs: readonly unknown[],
  key = sealKey.verifier,
): Promise<string[]> {
  const files = proofs.map((proof, i) => {
    const file = join(folder, `${i}-${randomUUID()}.json`)
    writeFileSync(file, JSON.stringify(proof))
    return file
  })
  const { output, code } = await new Promise<{ output: string; code: number }>((resolve) => {
    const given = [join(ROOT, 'docs/verify-statement.mjs'), key, ...files]
    execFile(process.execPath, given, (error, stdout) =>
      resolve({ output: stdout, code: Number(error?.code ?? 0) }),
    )
  })
  const lines = output.trimEnd().split('\n')
  expect(lines).toHaveLength(files.length)
  const verdicts = lines.map((line, i) => line.slice(files[i]!.length + 1))
  expect(code).toBe(verdicts.every((verdict) => verdict.startsWith('holds')) ? 0 : 1)
  return verdicts.map((verdict) => verdict.replace(/^holds: .*/, 'holds').replace('DOES NOT HOLD: ', ''))
}
