import { located } from '../host/answer-of.ts'
import { accountOpened } from '../../eventing/contracts/account.opened.ts'
import type { PendingEvent } from '../../eventing/outbox-event.ts'
import type { Config } from '../host/config.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import type { Caller } from '../host/route-request.ts'
import type { Reply } from '../host/reply.ts'
import { problem, ProblemError, problems } from '../host/problems.ts'
import { uuidSchema } from '../host/schema.ts'
import type { Emitting } from '../host/tools.ts'
import { userExists } from '../host/user-exists.ts'
import {
  accountNameSchema,
  accountSchema,
  accountTypes,
  toAccount,
  type AccountRow,
} from './accounts/account.ts'
import { amountOrZeroSchema, currencySchema, readAmount } from '../host/values/money.ts'
import { postTransactions, type PostedGroup, type PostingOutcome } from './posting/post.ts'
import { ledgerStopped } from './stops/stopped.ts'
import { openingProblems, postingProblems, userUnknown, type OpeningRefusal } from './posting/refusals.ts'
import { toPosting } from './posting/posting-request.ts'

const OPERATORS_ONLY = ['user_id', 'balance', 'overdraft_limit'] as const

export default operation({
  name: 'open-account',
  context: 'ledger',
  summary: 'Opens an account: customers for themselves, operators for any user',
  routes: [
    route({
      method: 'POST',
      path: '/accounts',
      who: 'signed-in',
      summary: 'Open an account; only operators give user_id (they must), balance and overdraft_limit',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_type'],
        properties: {
          account_type: { enum: accountTypes },
          name: accountNameSchema,
          currency: currencySchema,
          user_id: uuidSchema,
          balance: amountOrZeroSchema,
          overdraft_limit: amountOrZeroSchema,
        },
      },
      answers: { 201: located(accountSchema) },
      problems: [
        problems.forbidden,
        userUnknown,
        ...Object.values(openingProblems),
        postingProblems['limit-exceeded'],
        postingProblems['fee-exceeds-amount'],
        ledgerStopped,
      ],
      idempotent: true,
      handle: async ({ body, caller, idempotencyKey, client, traceparent, address }, tools) => {
        const opening = { ...readOpening(body, caller), caller, client, traceparent, address }
        let deposit: PendingEvent[] = []
        const reply = await tools.transact(traceparent, (tx) => {
          deposit = []
          return once(tx, 'open-account', idempotencyKey, async () => {
            if (!(await userExists(opening.userId, opening, tools))) {
              return problem(userUnknown, `There is no user ${opening.userId}.`)
            }
            const opened = await open(tx, opening, tools.config)
            deposit = opened.events
            return opened.reply
          })
        })
        tools.outbox.publish(deposit)
        return reply
      },
    }),
  ],
})

interface Opening {
  userId: string
  accountType: AccountRow['account_type']
  name: string | undefined
  currency: string
  /** In minor units; zero if there is no opening deposit. */
  balance: bigint
  overdraftLimit: bigint
  caller: Caller
  client: string | undefined
  traceparent: string
  address: string
}

/** Reads the request. Throws a ProblemError: 403 if a customer gives a field that only operators may give,
 * 400 for invalid amounts. */
function readOpening(
  body: {
    account_type: AccountRow['account_type']
    name?: string
    currency?: string
    user_id?: string
    balance?: string | number
    overdraft_limit?: string | number
  },
  caller: Caller,
): Omit<Opening, 'caller' | 'client' | 'traceparent' | 'address'> {
  const forbidden = OPERATORS_ONLY.filter((field) => body[field] !== undefined)
  if (caller.role !== 'operator' && forbidden.length > 0) {
    throw new ProblemError(problems.forbidden, `Only operators may give ${forbidden.join(', ')}.`)
  }
  if (caller.role === 'operator' && body.user_id === undefined) {
    throw new ProblemError(problems.invalidInput, 'An operator must say for whom to open the account.', {
      errors: [{ path: '/user_id', message: 'is required from operators' }],
    })
  }
  const currency = body.currency ?? 'USD'
  return {
    userId: body.user_id?.toLowerCase() ?? caller.userId,
    accountType: body.account_type,
    name: body.name,
    currency,
    balance: readAmount(body.balance ?? 0, currency, '/balance', { zero: true }),
    overdraftLimit: readAmount(body.overdraft_limit ?? 0, currency, '/overdraft_limit', { zero: true }),
  }
}

interface Opened {
  reply: Reply
  /** Publish these after the commit. */
  events: PendingEvent[]
}

type OpenedRow = { refusal: null } & AccountRow

async function open(tx: Emitting, opening: Opening, config: Config): Promise<Opened> {
  const [row] = await tx.query<OpenedRow | { refusal: OpeningRefusal }>({
    text: `select refusal, (account).* from open_account($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      opening.userId,
      opening.accountType,
      opening.currency,
      opening.overdraftLimit,
      config.ACCOUNT_BALANCE_MAX,
      config.OWN_DEPOSIT_MAX,
      config.ACCOUNTS_PER_CUSTOMER_MAX,
      opening.name,
    ],
  })
  const account = row!
  if (account.refusal !== null) return { reply: refuse(account.refusal, opening, config), events: [] }
  const { outcomes, events } = await deposit(tx, account, opening)
  const balance = balanceAfter(outcomes[0])
  const answer = toAccount({ ...account, balance })
  tx.emit(accountOpened, {
    subject: account.id,
    partitionkey: account.id,
    data: {
      account_id: account.id,
      user_id: account.user_id,
      account_number: answer.number,
      account_type: account.account_type,
      currency: account.currency,
      overdraft_limit: answer.overdraft_limit,
      opened_at: answer.created_at,
    },
  })
  return {
    reply: { status: 201, headers: { location: `/api/accounts/${account.id}` }, body: answer },
    events,
  }
}

/** Makes the answer for a refusal. If a customer has left, an operator is told that there is no such user,
 * which is also what `users` answers. */
function refuse(refusal: OpeningRefusal, { userId, caller }: Opening, config: Config): Reply {
  if (refusal === 'too-many-accounts') {
    const most = config.ACCOUNTS_PER_CUSTOMER_MAX
    return problem(openingProblems[refusal], `A customer can have ${most} accounts; closed ones count too.`)
  }
  if (userId !== caller.userId) return problem(userUnknown, `There is no user ${userId}.`)
  return problem(openingProblems[refusal], 'No account can be opened for a customer who was deleted.')
}

/** Returns the balance after the opening deposit; zero without one. Such a deposit can be refused only if it
 * is more than an account can hold, or less than its fee. Throws a ProblemError then, which rolls the account
 * back too. */
function balanceAfter(deposited: PostingOutcome | undefined): bigint {
  if (!deposited) return 0n
  if (deposited.outcome === 'posted') return deposited.balanceAfter!
  if (deposited.outcome === 'fee-exceeds-amount') {
    throw new ProblemError(
      postingProblems['fee-exceeds-amount'],
      'The balance is less than the fee of the deposit.',
    )
  }
  throw new ProblemError(postingProblems['limit-exceeded'], 'The balance is more than an account can hold.')
}

async function deposit(tx: Emitting, account: AccountRow, opening: Opening): Promise<PostedGroup> {
  if (opening.balance === 0n) return { outcomes: [], events: [] }
  const { id, currency } = account
  const { balance, caller, traceparent, address } = opening
  return postTransactions(tx, [
    toPosting('deposit', { account_id: id, currency, description: 'Opening deposit' }, balance, {
      operation: 'open-account',
      caller,
      traceparent,
      address,
    }),
  ])
}
