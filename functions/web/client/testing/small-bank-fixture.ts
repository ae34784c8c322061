import http from 'node:http'
import type { AddressInfo } from 'node:net'
import login from '../../../identity/login.ts'
import logout from '../../../identity/logout.ts'
import refreshSession from '../../../identity/refresh-session.ts'
import register from '../../../identity/register.ts'
import accounts from '../../../ledger/accounts.ts'
import deposit from '../../../ledger/deposit.ts'
import openAccount from '../../../ledger/open-account.ts'
import transactions from '../../../ledger/transactions.ts'
import transfer from '../../../ledger/transfer.ts'
import { catalogueOf } from '../../../host/catalogue.ts'
import { testDatabase, type TestDatabase } from '../../../../tests/support/databases.ts'
import { startFunction, type TestFunction } from '../../../../tests/support/host.ts'
import frontDoor from '../../front-door.ts'

/** The front door with the functions that a customer meets first, all in this process. */
export interface SmallBank {
  url: string
  identity: TestDatabase
  ledger: TestDatabase
  stop(): Promise<void>
}

const operations = [
  ...[login, logout, refreshSession, register],
  ...[accounts, deposit, openAccount, transactions, transfer],
]

export async function startSmallBank(): Promise<SmallBank> {
  const [identity, ledger] = await Promise.all([testDatabase('identity'), testDatabase('ledger')])
  const env = {
    IDENTITY_DATABASE_URL: identity.url,
    LEDGER_DATABASE_URL: ledger.url,
    // Nobody listens there, so events stay in the outbox.
    BROKER_URL: 'http://127.0.0.1:1/',
  }
  const functions = new Map<string, TestFunction>()
  for (const operation of operations) functions.set(operation.name, await startFunction(operation, env))
  const gateway = http.createServer((incoming, answer) => {
    const { host = '' } = incoming.headers
    const port = functions.get(host.split('.')[0]!)?.port
    if (!port) return void answer.writeHead(404).end()
    const { method, url, headers } = incoming
    const onward = http.request({ port, method, path: url, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers)
      response.pipe(answer)
    })
    incoming.pipe(onward.on('error', () => answer.destroy()))
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const door = await startFunction(frontDoor, { LOCAL_GATEWAY, TRUSTED_HOPS: '1' }, catalogueOf(operations))
  return {
    url: door.url,
    identity,
    ledger,
    async stop() {
      for (const running of [door, ...functions.values()]) await running.stop()
      gateway.closeAllConnections()
      gateway.close()
      await Promise.all([identity.drop(), ledger.drop()])
    },
  }
}
