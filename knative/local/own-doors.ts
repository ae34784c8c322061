import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { Log } from '../../monitoring/log.ts'
import { openDemoDoor } from './demo/demo-door.ts'
import { areLoopback, urlHere } from './gateway/loopback.ts'
import type { SecretStore } from './secrets.ts'
import { openMailDoor } from './servers/mail-door.ts'

/** The secrets by which the runtime knows the functions that ask for the demo customer and for emails. They
 * are new at each start. */
export interface OwnKeys {
  demo: string
  mails: string
}

/** Makes the secrets. Returns undefined if other machines reach the bank: anybody there could be the demo
 * customer, and any operator could use the links in emails. */
export const createOwnKeys = (hosts: readonly string[]): OwnKeys | undefined =>
  areLoopback(hosts) ? { demo: newKey(), mails: newKey() } : undefined

const newKey = (): string => randomBytes(24).toString('base64url')

/** Adds the handlers for the functions that have these secrets. */
export function openDoors(
  {
    ownKeys,
    secrets,
    dataDir,
    log,
  }: { ownKeys: OwnKeys | undefined; secrets: SecretStore; dataDir: string; log: Log },
  doors: Map<string, RequestListener>,
  { hosts, port, catchesMail: catches }: { hosts: readonly string[]; port: number; catchesMail: boolean },
): void {
  if (!ownKeys) return
  const url = urlHere(hosts, port)
  doors.set('demo-customer', openDemoDoor({ key: ownKeys.demo, secrets, log, url }))
  doors.set('mails', openMailDoor({ key: ownKeys.mails, dataDir, catches, log }))
}
