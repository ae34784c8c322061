import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { CustomerClient } from '../../host/http/call-for.ts'
import type { CallResponse } from '../../host/http/call.ts'
import { ProblemError, problem, problems, type FieldError } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import { statementFormats, type FiledFormat } from '../document.ts'
import { FILE_BYTES_MAX, type FiledPeriod } from '../filing.ts'
import { statementProblems } from '../refusals.ts'
import { Spool } from '../uploads/spool.ts'

export interface AskedStatement extends FiledPeriod {
  format: FiledFormat
}

export interface FetchedStatement {
  spool: Spool
  /** The seal whose checkpoint it has, if it has one already. */
  seal: bigint | null
}

/** Fetches a statement from the ledger, onto the disk while it comes. Whoever gets the spool closes it.
 * Throws an UnavailableError if the ledger gives no whole statement, even if it is asked again. */
export async function fetchStatement(
  { accountId, from, to, format }: AskedStatement,
  ledger: CustomerClient,
): Promise<FetchedStatement | { refusal: Reply }> {
  const query = new URLSearchParams({ from: from.toISOString(), to: to.toISOString(), format })
  let spool: Spool | undefined
  try {
    const answer = await ledger('statement', {
      path: `/accounts/${accountId}/statement?${query}`,
      take: async () => {
        // An attempt that failed may still be writing to its own.
        await spool?.close()
        const taken = (spool = await Spool.open())
        return (part) => add(taken, part)
      },
    })
    if (answer.status !== 200) {
      await spool?.close()
      return { refusal: refusalOf(answer) }
    }
    const type = String(answer.headers['content-type'])
    if (!type.startsWith(statementFormats[format].mediaType) || spool!.bytes === 0)
      throw new UnavailableError('the ledger did not answer with the statement')
    const seal = answer.headers['microbank-seal']
    return { spool: spool!, seal: seal === undefined ? null : BigInt(String(seal)) }
  } catch (error) {
    await spool?.close()
    throw error
  }
}

async function add(spool: Spool, part: Buffer): Promise<void> {
  if (spool.bytes + part.length > FILE_BYTES_MAX)
    throw new ProblemError(
      statementProblems.tooLong,
      `A document may have at most ${FILE_BYTES_MAX / 1024 / 1024} MiB. Ask for a shorter period.`,
    )
  await spool.add(part)
}

/** Says in this context's words why there is no such statement. */
function refusalOf({ status, body }: CallResponse): Reply {
  const {
    type = '',
    detail = '',
    errors,
  } = (body ?? {}) as { type?: string; detail?: string; errors?: FieldError[] }
  const is = (name: string): boolean => type.endsWith(`/problems/${name}`)
  if (status === 404 && is('account-not-found'))
    return problem(statementProblems.accountNotFound, 'There is no account with this id.')
  if (status === 422 && is('statement-too-long')) return problem(statementProblems.tooLong, detail)
  if (status === 400 && is('invalid-input'))
    return problem(problems.invalidInput, 'There is no statement of this period.', {
      ...(errors && { errors }),
    })
  throw new Error(`statement answered ${status} ${type}`)
}
