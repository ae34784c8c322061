import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { Log } from '../../monitoring/log.ts'
import { openDemoDoor } from './demo/demo-door.ts'
import { areHere, urlHere } from './gateway/loopback.ts'
import type { SecretStore } from './secrets.ts'
import { openMailDoor } from './servers/mail-door.ts'

/** The secrets by which the runtime knows the functions that ask for the demo customer and for mails: other
 * ones at each start. */
export interface OwnKeys {
  demo: string
  mails: string
}

/** Makes the secrets. Where other machines reach the bank there are none: anybody could be the demo customer,
 * and whoever is an operator could use the links of mails. */
export const createOwnKeys = (hosts: readonly string[]): OwnKeys | undefined =>
  areHere(hosts) ? { demo: newKey(), mails: newKey() } : undefined

const newKey = (): string => randomBytes(24).toString('base64url')

/** Opens what functions may ask of the runtime with these secrets. */
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
