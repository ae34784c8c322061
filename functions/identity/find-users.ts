import { UnavailableError } from '../../eventing/unavailable.ts'
import type { AuditAbout } from '../host/audit/about.ts'
import { decodeCursor, page } from '../host/database/paging.ts'
import type { Database } from '../host/database/database.ts'
import { ProblemError, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { OnBehalf } from '../host/route-request.ts'
import type { Infer } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'
import { aboutUser, findUser, toUser, userColumns, type UserRow } from './user.ts'
import type { usersQuery } from './users-query.ts'

/** What belongs to a user, by the function that shows it to operators. */
const belongings = [
  ['accounts', (id: string) => `/accounts/${id}`],
  ['transactions', (id: string) => `/transactions/${id}`],
  ['holds', (id: string) => `/holds/${id}`],
  ['orders', (id: string) => `/orders/${id}`],
  ['payments', (id: string) => `/payments/${id}`],
  ['payouts', (id: string) => `/payments/payout/${id}/status?limit=1`],
] as const

interface UsersRequest extends OnBehalf {
  query: Infer<typeof usersQuery>
}

/** Returns a page of users, newest first: all, those whom `query` finds, or the one whom `id` or an account
 * number belongs to. */
export async function findUsers(request: UsersRequest, tools: Tools): Promise<Reply> {
  const { id, query: text, account_number: number, limit, cursor } = request.query
  const [given, ...more] = (['query', 'account_number', 'id'] as const).filter(
    (name) => request.query[name] !== undefined,
  )
  if (more.length > 0)
    throw new ProblemError(problems.invalidInput, 'Give one of id, account_number and query.', {
      errors: more.map((name) => ({ path: `/${name}`, message: `does not go with ${given}` })),
    })
  if (number !== undefined) {
    const user = await findByNumber(number, request, tools)
    return replyWith(user, user ? aboutUser(user.id) : {})
  }
  if (id === undefined) return pageOfUsers(tools.db, { text, limit, cursor })
  const user = (await findUser(tools.db, id)) ?? (await findOwner(id, request, tools))
  return replyWith(user, { ...(user && aboutUser(user.id)), subject: id })
}

const replyWith = (user: UserRow | undefined, about: AuditAbout): Reply => ({
  status: 200,
  body: { items: user ? [toUser(user)] : [], next_cursor: null },
  about,
})

const pageText = `select ${userColumns} from users
  where deleted_at is null and ($1::uuid is null or id < $1) order by id desc limit $2`

/** `offset 0` has Postgres find all who match before it sorts them. For the few rows of a page it would read
 * users by their ids, and make the words of each anew: of all of them if nobody matches. */
export const searchText = `select * from (
    select ${userColumns} from users
    where deleted_at is null and ($1::uuid is null or id < $1) and user_words(name, email) @@ user_query($3)
    offset 0
  ) found
  order by id desc limit $2`

async function pageOfUsers(
  db: Database,
  asked: { text: string | undefined; limit: number; cursor: string | undefined },
): Promise<Reply> {
  const { text, limit, cursor } = asked
  if (text !== undefined && !/[\p{L}\p{N}]/u.test(text.normalize('NFKC')))
    throw new ProblemError(problems.invalidInput, 'The query has no words.', {
      errors: [{ path: '/query', message: 'must have a letter or a digit' }],
    })
  const rows = await db.query<UserRow>({
    ...(text === undefined
      ? { name: 'users-page', text: pageText }
      : { name: 'users-search', text: searchText }),
    values: [decodeCursor(cursor), limit + 1, ...(text === undefined ? [] : [text])],
  })
  return { status: 200, body: page(rows, limit, toUser) }
}

/** Asks the ledger, as the operator who asks, whose account has a number. */
async function findByNumber(
  number: string,
  { caller: { token }, client, traceparent }: UsersRequest,
  { call, db }: Tools,
): Promise<UserRow | undefined> {
  const path = `/accounts?number=${number}`
  const answer = await call('accounts', { path, token, client, traceparent })
  const { items } = (answer.body ?? {}) as { items?: { user_id: string }[] }
  if (answer.status !== 200 || !Array.isArray(items))
    throw new UnavailableError(`expected a list of accounts, got status ${answer.status}`)
  return items[0] && findUser(db, items[0].user_id)
}

/** Asks the other contexts whose an id is, as the operator who asks: each of them audits the reading. */
async function findOwner(
  id: string,
  request: UsersRequest,
  { call, db }: Tools,
): Promise<UserRow | undefined> {
  const { token } = request.caller
  const ask = async (service: string, path: string): Promise<Belonging | undefined> => {
    const { client, traceparent } = request
    const answer = await call(service, { path, token, client, traceparent })
    if (answer.status === 404) return undefined
    if (answer.status !== 200)
      throw new UnavailableError(`expected ${service} to show ${id}, got status ${answer.status}`)
    return answer.body as Belonging
  }
  const found = await Promise.all(belongings.map(([service, pathOf]) => ask(service, pathOf(id))))
  const belonging = found.find((one) => one !== undefined)
  if (!belonging) return undefined
  const { user_id: owner, account_id: accountId } = belonging
  const ownerId = owner ?? (accountId && (await ask('accounts', `/accounts/${accountId}`))?.user_id)
  return ownerId ? findUser(db, ownerId) : undefined
}

/** What other contexts show says whose it is, or of which account. */
interface Belonging {
  user_id?: string
  account_id?: string | null
}
