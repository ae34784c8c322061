import type { Config } from '../host/config.ts'
import type { Transaction } from '../host/database/database.ts'
import type { Tools } from '../host/tools.ts'
import { hashPassword } from './password.ts'
import { canonicalEmail, emitRegistered, findUserByEmail, userColumns, type UserRow } from './user.ts'

// The first operator has to come from outside: from the environment. Functions scale to zero and there is no
// moment at which the bank "starts"; so the operator is entered when somebody logs in with that address for
// the first time. What the environment says later changes nothing: the password stays as it is, and when the
// first operator is gone, nobody gets that role in this way again.

/** Enters the first operator where `email` (canonical) is the address in the environment and there never was
 * an operator. Returns the user who then has the address, and undefined for every other address. */
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
      if (operator) emitRegistered(tx, operator)
    })
  }
  // Read again: another process may have been the one to enter the operator, at this very moment.
  return findUserByEmail(db, email)
}

/** Whether an address is waiting for the first operator: nobody else can have it until then. */
export async function isKeptForOperator(tx: Transaction, email: string, config: Config): Promise<boolean> {
  if (!isOperatorEmail(email, config)) return false
  const operators = await tx.query({ text: `select from users where role = 'operator' limit 1` })
  return operators.length === 0
}

const isOperatorEmail = (email: string, config: Config): boolean =>
  email === canonicalEmail(config.OPERATOR_EMAIL)
