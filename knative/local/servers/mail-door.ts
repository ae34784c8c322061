import type { RequestListener } from 'node:http'
import type { Log } from '../../../monitoring/log.ts'
import { guardedDoor } from '../gateway/guarded-door.ts'
import { listMails, readMail } from './read-mails.ts'

export interface MailDoorOptions {
  /** The secret that the function `platform` sends. */
  key: string
  dataDir: string
  /** Whether emails are caught. */
  catches: boolean
  log: Log
}

const LISTED_MAX = 50

/** Returns the handler that shows the caught emails, for the function `platform` alone: some have links that
 * set a new password. It stands on the gateway between the bank's parts. */
export const openMailDoor = ({ key, dataDir, catches, log }: MailDoorOptions): RequestListener =>
  guardedDoor({
    ...{ key, asker: 'the function platform', log, failure: 'the mails could not be read' },
    tell: async ({ url = '' }) =>
      url === '/mails'
        ? { catches, ...(await listMails(dataDir, LISTED_MAX)) }
        : readMail(dataDir, url.slice('/mails/'.length)),
  })
