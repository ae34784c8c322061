import type { Transaction } from '../../host/database/database.ts'
import { customerLeft } from '../../host/customer-left.ts'
import { define, problem, problems } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { hasUnseen, NO_UNSEEN } from '../../host/values/unseen.ts'
import { customerTypes, operatorTypes } from './types.ts'

/** Most hooks that a user can have. */
export const HOOKS_MAX = 10

export const webHookProblems = {
  tooMany: define('too-many-web-hooks', 409, 'There are too many web hooks'),
  ownerLeft: customerLeft,
  urlRefused: define('web-hook-url-refused', 422, 'A web hook can’t have this URL'),
}

export const urlSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 2000,
  // It may hold a token, so it is not in the audit.
  'x-personal': true,
} as const

export const typesSchema = {
  type: 'array',
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  items: { type: 'string', maxLength: 100 },
} as const

const fields = {
  id: uuidSchema,
  user_id: uuidSchema,
  url: { type: 'string' },
  types: { type: 'array', items: { type: 'string' } },
  status: { enum: ['active', 'paused'] },
  paused_because: orNull({
    enum: ['asked', 'gone', 'failing', 'new-owner'],
    description:
      'asked: somebody asked for it; gone: it answered 410; failing: nothing reached it for days; new-owner: ' +
      'somebody else may have made it, before the address’s owner set a password by a mailed link.',
  }),
  previous_secret_until: orNull({ type: 'string', format: 'date-time' }),
  created_at: { type: 'string', format: 'date-time' },
} as const

const names = [
  'id',
  'user_id',
  'url',
  'types',
  'status',
  'paused_because',
  'previous_secret_until',
  'created_at',
] as const

export const webHookSchema = {
  title: 'WebHook',
  type: 'object',
  additionalProperties: false,
  required: names,
  properties: fields,
} as const

/** A hook with its newest secret, which only the answer that makes the secret has. */
export const webHookWithSecretSchema = {
  title: 'WebHookWithSecret',
  type: 'object',
  additionalProperties: false,
  required: [...names, 'secret'],
  properties: { ...fields, secret: { type: 'string' } },
} as const

export interface WebHookRow {
  id: string
  user_id: string
  url: string
  types: string[]
  status: 'active' | 'paused'
  paused_because: 'asked' | 'gone' | 'failing' | 'new-owner' | null
  secret_number: number
  /** Null, or over. */
  previous_secret_until: Date | null
  created_at: Date
}

export const HOOK_COLUMNS = `id, user_id, url, types, status, paused_because, secret_number, created_at,
  case when previous_secret_until > now() then previous_secret_until end as previous_secret_until`

/** Returns a hook as the API shows it. */
export const toWebHook = ({ secret_number: _number, ...row }: WebHookRow) => ({
  ...row,
  previous_secret_until: row.previous_secret_until?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
})

/** The owner whose hooks a caller sees; null for all. */
export const ownerSeenBy = ({ role, userId }: Caller): string | null => (role === 'operator' ? null : userId)

/** Reads a hook that the caller may see, and locks it until the transaction ends. Resolves with undefined if
 * there is none. `owner` is null for any. */
export async function lockHook(
  tx: Transaction,
  id: string,
  owner: string | null,
): Promise<WebHookRow | undefined> {
  const [row] = await tx.query<WebHookRow>({
    name: 'web-hook-lock',
    text: `select ${HOOK_COLUMNS} from web_hooks where id = $1 and ($2::uuid is null or user_id = $2) for update`,
    values: [id, owner],
  })
  return row
}

export const hookNotFound = (id: string): Reply => problem(problems.notFound, `There is no web hook ${id}.`)

/** Returns a refusal if a hook of such a caller can't have these types; otherwise undefined. */
export function refusedTypes(types: readonly string[], { role }: Pick<Caller, 'role'>): Reply | undefined {
  const known = role === 'operator' ? operatorTypes : customerTypes
  const errors = types.flatMap((type, i) =>
    known.includes(type) ? [] : [{ path: `/types/${i}`, message: `must be one of ${known.join(', ')}` }],
  )
  if (errors.length === 0) return undefined
  return problem(problems.invalidInput, 'There are types that a web hook of yours can’t have.', { errors })
}

/** Returns a refusal if no web hook may go to this URL; otherwise undefined. What its name leads to is only
 * known when something is sent, and is checked each time. */
export async function refusedUrl(text: string, setting: 'allowed' | 'refused'): Promise<Reply | undefined> {
  const { rulesFor } = await import('./addresses.ts')
  const refuse = (fault: string): Reply =>
    problem(webHookProblems.urlRefused, `The URL ${fault}.`, { errors: [{ path: '/url', message: fault }] })
  // The parser drops or escapes them.
  if (hasUnseen(text)) return refuse(NO_UNSEEN)
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return refuse('must be one that a browser accepts')
  }
  const fault = rulesFor(setting).faultOf(url)
  return fault === undefined ? undefined : refuse(fault)
}
