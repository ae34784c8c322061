import type { Config } from '../host/config.ts'
import type { Transaction } from '../host/database/database.ts'
import type { Tools } from '../host/tools.ts'
import { hashPassword } from './password.ts'
import {
  aboutUser,
  canonicalEmail,
  emitRegistered,
  findUserByEmail,
  userColumns,
  type UserRow,
} from './user.ts'

// The first operator comes from the environment. Functions scale to zero, so there is no moment at which the
// bank "starts". The operator is therefore added when somebody first logs in with that email address. Later
// changes in the environment change nothing: the password stays as it is, and if the first operator is
// deleted, nobody gets that role this way again.

/** Adds the first operator if `email` (in canonical form) is the address in the environment and there never
 * was an operator. Returns the user who then has the address; undefined for every other address. */
export async function enterFirstOperator(
  email: string,
  traceparent: string,
  { db, transact, config }: Tools,
): Promise<UserRow | undefined> {
  if (!config.OPERATOR_PASSWORD || !isOperatorEmail(email, config)) return undefined
  if (await isKeptForOperator(db, email, config)) {
    const passwordHash = await hashPassword(config.OPERATOR_PASSWORD)
    await transact(traceparent, async (tx) => {
      const [operator] = await tx.query<UserRow>({
        text: `select ${userColumns} from create_first_operator('Operator', $1, $2)`,
        values: [email, passwordHash],
      })
      if (!operator) return undefined
      emitRegistered(tx, operator)
      return { about: aboutUser(operator.id) }
    })
  }
  // Read again: another process may have just added the operator.
  return findUserByEmail(db, email)
}

/** Finds the operator who has been one for the longest time, or adds the first one. Returns undefined if the
 * environment names none, or they are deleted. */
export async function findFirstOperator(traceparent: string, tools: Tools): Promise<UserRow | undefined> {
  const [operator] = await tools.db.query<UserRow>({
    text: `select ${userColumns} from users where role = 'operator' and deleted_at is null order by id limit 1`,
  })
  return operator ?? enterFirstOperator(canonicalEmail(tools.config.OPERATOR_EMAIL), traceparent, tools)
}

/** Says whether an email address is reserved for the first operator. Nobody else can have it until then. */
export async function isKeptForOperator(tx: Transaction, email: string, config: Config): Promise<boolean> {
  if (!isOperatorEmail(email, config)) return false
  const operators = await tx.query({ text: `select from users where role = 'operator' limit 1` })
  return operators.length === 0
}

const isOperatorEmail = (email: string, config: Config): boolean =>
  email === canonicalEmail(config.OPERATOR_EMAIL)
