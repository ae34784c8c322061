import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { asSuperuser } from '../knative/postgres/databases.ts'
import type { Bench } from './bench.ts'
import type { BenchDatabases } from './databases.ts'

// More branches than clients, as pgbench's manual asks. With fewer, clients mostly wait for each other's
// locks.
const SCALE = 10
const CLIENTS = 8

/** Measures pgbench's own TPC-B-like transaction, with prepared statements, on the ledger's server. It is the
 * floor of the ledger. */
export interface Pgbench {
  /** Resolves with transactions per second of so many clients; by default 8. */
  run(seconds: number, clients?: number): Promise<number>
}

/** Makes pgbench's tables in a database of their own. */
export async function preparePgbench(bench: Bench, { server }: BenchDatabases): Promise<Pgbench> {
  bench.progress.step('filling the tables of pgbench')
  await asSuperuser(
    server.superuserUrl,
    async (client) => void (await client.query('create database pgbench')),
  )
  const { username, password } = new URL(server.superuserUrl)
  const pgbench = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      'pgbench',
      ['-h', server.host, '-p', String(server.port), '-U', username, ...args, 'pgbench'],
      { env: { PATH: process.env.PATH, PGPASSWORD: decodeURIComponent(password), LC_ALL: 'C' } },
    )
    return stdout
  }
  await pgbench('--initialize', '--quiet', `--scale=${SCALE}`)
  return {
    async run(seconds, clients = CLIENTS) {
      const report = await pgbench(
        '--protocol=prepared',
        `--client=${clients}`,
        `--jobs=${Math.min(2, clients)}`,
        `--time=${seconds}`,
      )
      const [, tps] = /^tps = ([\d.]+)/m.exec(report) ?? []
      if (!tps) throw new Error(`expected a line with tps in pgbench's report, got:\n${report}`)
      return Number(tps)
    },
  }
}
