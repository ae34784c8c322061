import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { takePort } from '../../knative/local/processes/ports.ts'
import { findPostgres } from '../../knative/local/servers/postgres-binaries.ts'
import { findPostgresClients } from './postgres-clients.mjs'
import { ROOT } from './repository.ts'
import { until } from './until.ts'

/** Environment of a script: the passwords of the three roles, and further variables. */
export type Environment = Record<string, string>

export interface ClusterPostgres {
  port: number
  /** Returns the URL that a Secret holds, except for the host. It uses TLS and checks the server's
   * certificate against the authority. */
  url(role: string, password: string): string
  caFile: string
  /** Runs a script of knative/postgres/database as the pods do. Resolves with what it printed; rejects if it
   * fails. */
  script(name: string, args?: string[], environment?: Environment): Promise<string>
  start(): Promise<void>
  stop(): Promise<void>
  remove(): Promise<void>
}

/** Prepares a database as knative/postgres/database makes it: with the same scripts, postgresql.conf and
 * pg_hba.conf, but other folders and a certificate made here. It does not start it. */
export async function clusterPostgres(context: string): Promise<ClusterPostgres> {
  const { postgres, user } = await findPostgres(() => {})
  const clients = findPostgresClients()
  if (!clients)
    throw new Error('expected the tools of Postgres 18; node tests/support/prepare.mjs fetches them')
  const folder = mkdtempSync(join(tmpdir(), 'microbank-cluster-postgres-'))
  const [files, tls, sockets] = ['files', 'tls', 'run'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const port = await takePort()
  layOut(folder, { files, tls, sockets, user })

  const environment = {
    ...{ PATH: [dirname(postgres), clients, process.env.PATH].join(delimiter), LANG: 'C.UTF-8' },
    ...{ CONTEXT: context, PGDATA: join(folder, 'data/18/docker'), SOCKETS: sockets },
    ...{ PGHOST: sockets, PGPORT: String(port), PGDATABASE: context, PGUSER: `${context}_owner` },
  }
  let server: ReturnType<typeof spawn> | undefined

  const stop = async (): Promise<void> => {
    if (!server || server.exitCode !== null) return
    const exited = once(server, 'exit')
    // SIGINT is the image's STOPSIGNAL.
    server.kill('SIGINT')
    await exited
  }

  return {
    port,
    caFile: join(tls, 'ca.crt'),
    url: (role, password) =>
      `postgres://${role}:${password}@localhost:${port}/${context}?sslmode=verify-full&sslrootcert=${join(tls, 'ca.crt')}`,
    async script(name, args = [], extra = {}) {
      const options = { env: { ...environment, ...extra }, cwd: folder, ...user }
      const { stdout } = await promisify(execFile)('bash', [join(files, name), ...args], options)
      return stdout
    },
    async start() {
      const settings = {
        ...{ config_file: join(files, 'postgresql.conf'), hba_file: join(files, 'pg_hba.conf') },
        ...{ ssl_cert_file: join(tls, 'tls.crt'), ssl_key_file: join(tls, 'tls.key') },
        ...{ unix_socket_directories: sockets, port: String(port), listen_addresses: '127.0.0.1' },
      }
      const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      server = spawn(postgres, args, { env: environment, cwd: folder, stdio: 'ignore', ...user })
      await until(async () => {
        const client = new Client({ host: sockets, port, user: 'postgres', database: context })
        await client.connect()
        await client.end()
        return true
      })
    },
    stop,
    async remove() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Layout {
  files: string
  tls: string
  sockets: string
  user: { uid: number; gid: number } | undefined
}

/** Makes the folders that the pod mounts. */
function layOut(folder: string, { files, tls, sockets, user }: Layout): void {
  for (const path of [files, tls, sockets]) mkdirSync(path)
  const source = join(ROOT, 'knative/postgres/database')
  for (const name of readdirSync(source)) copyFileSync(join(source, name), join(files, name))
  makeCertificate(tls)
  for (const path of [folder, files, tls, sockets]) chmodSync(path, 0o755)
  for (const path of [folder, sockets, ...readdirSync(tls).map((name) => join(tls, name))])
    if (user) chownSync(path, user.uid, user.gid)
}

/** Makes an authority and a certificate for localhost. */
function makeCertificate(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.crt')
  const names = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    '-addext',
    'basicConstraints=CA:FALSE',
  ]
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-keyout', 'tls.key', '-out', 'tls.crt']
  openssl('req', '-x509', ...key, ...names, ...signed)
  chmodSync(join(folder, 'tls.key'), 0o600)
}
