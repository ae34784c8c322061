import type { RequestListener } from 'node:http'
import type { Log } from '../../../monitoring/log.ts'
import { answerProblem, gatewayProblems } from '../gateway/problem.ts'
import { hasSecret } from '../gateway/shared-secret.ts'
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
export function openMailDoor({ key, dataDir, catches, log }: MailDoorOptions): RequestListener {
  const told = async (url: string): Promise<object | undefined> => {
    if (url === '/mails') return { catches, ...(await listMails(dataDir, LISTED_MAX)) }
    return readMail(dataDir, url.slice('/mails/'.length))
  }
  return (request, response) => {
    if (!hasSecret(request, key)) {
      const detail = 'This needs the secret of the function platform.'
      return answerProblem(request, response, gatewayProblems.unauthenticated, detail)
    }
    told(request.url ?? '').then(
      (body) =>
        body
          ? response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
          : answerProblem(request, response, gatewayProblems.unknownService, 'There is no such mail.'),
      (error: Error) => {
        log.error('the mails could not be read', { error: error.message })
        answerProblem(request, response, gatewayProblems.unavailable, 'The log of the runtime says why.')
      },
    )
  }
}
