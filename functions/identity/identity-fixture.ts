import { openDatabase, type Database } from '../host/database/database.ts'
import type { Operation } from '../host/operation.ts'
import { createLog } from '../../monitoring/log.ts'
import { testDatabase } from '../../tests/support/databases.ts'
import { startFunction, token, type Answer, type RequestOptions } from '../../tests/support/host.ts'

export const PASSWORD = 'grey herons wade slowly'

export const operator = { userId: '0198f3a2-0000-7000-8000-000000000001', role: 'operator' } as const

/** The identity functions over one new database, for the tests of this folder. */
export interface Identity {
  db: Database
  /** Connects as the owner of the tables, to read what functions can't and to set times back. */
  owner: Database
  /** Sends a request to the operation that has the route. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** Registers a user with the password above, and returns the answer's body. */
  register(name: string): Promise<{ id: string; email: string }>
  login(email: string, password?: string, headers?: Record<string, string>): Promise<Answer>
  /** Returns the data of the events of a type, oldest first. */
  events(type: string): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

export async function startIdentity(
  operations: readonly Operation[],
  env: Record<string, string> = {},
): Promise<Identity> {
  const { url, ownerUrl, drop } = await testDatabase('identity')
  const log = createLog({ service: 'test' }, 'error')
  const db = openDatabase({ url, poolMax: 10, name: 'test', log })
  const owner = openDatabase({ url: ownerUrl, poolMax: 2, name: 'test-owner', log })
  const functions = await Promise.all(
    operations.map(async (operation) => ({
      operation,
      // Nobody listens there, so events stay in the outbox, where these tests look.
      running: await startFunction(operation, {
        IDENTITY_DATABASE_URL: url,
        BROKER_URL: 'http://127.0.0.1:1/',
        // As on a laptop: the client is the last entry of X-Forwarded-For.
        TRUSTED_HOPS: '1',
        ...env,
      }),
    })),
  )

  const request: Identity['request'] = (method, path, options) => {
    const name = path.replace(/^(\/(auth\/)?\w+).*/, '$1')
    const found = functions.find(({ operation }) =>
      operation.routes?.some((route) => route.path.startsWith(name)),
    )
    if (!found) throw new Error(`no operation of this test has ${path}`)
    return found.running.request(method, path, options)
  }

  return {
    db,
    owner,
    request,
    async register(name) {
      const body = { name, email: `${name.toLowerCase()}@example.com`, password: PASSWORD }
      const answer = await request('POST', '/auth/register', { body })
      if (answer.status !== 201) throw new Error(`could not register: ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    login: (email, password = PASSWORD, headers = {}) =>
      request('POST', '/auth/login', { body: { email, password }, headers }),
    async events(type) {
      const rows = await owner.query<{ data: Record<string, unknown> }>({
        text: 'select data from outbox where type = $1 order by id',
        values: [type],
      })
      return rows.map(({ data }) => data)
    },
    async stop() {
      await Promise.all(functions.map(({ running }) => running.stop()))
      await Promise.all([db.close(), owner.close()])
      await drop()
    },
  }
}

/** Runs `work` in one hour, as functions see it: what is counted by the hour begins anew with the next. */
export async function withinAnHour(work: () => Promise<void>): Promise<void> {
  const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now())
  await work().finally(() => now.mockRestore())
}

export const operatorToken = (): Promise<string> => token(operator)

/** Returns the name at the end of a problem's type. */
export const problemOf = ({ body }: Answer): string | undefined => body?.type?.split('/').pop()
