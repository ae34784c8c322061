import { accountFaults } from './account-faults.part.ts'
import { badInput } from './bad-input.part.ts'
import { documents } from './documents.part.ts'
import { messages } from './messages.part.ts'
import { startOneBank, type OneBank } from './one-bank.ts'
import { ordersAndPayouts } from './orders-and-payouts.part.ts'
import { orders } from './orders.part.ts'
import { payments } from './payments.part.ts'
import { smokeTest } from './smoke.part.ts'
import { webHooks } from './web-hooks.part.ts'
import { wholeLedger } from './whole-ledger.part.ts'

/** One whole bank, because to start one takes longer than most of these parts. Each has customers of its own
 * and looks at nobody else's rows. The last two kill servers too, which others need. */

let one: OneBank
beforeAll(async () => void (one = await startOneBank()))
afterAll(() => one?.stop())

describe('the smoke test', () => smokeTest(() => one))
describe('bad input', () => badInput(() => one))
describe('payments', () => payments(() => one))
describe('payment orders and payouts', () => ordersAndPayouts(() => one))
describe('web hooks', () => webHooks(() => one))
describe('documents', () => documents(() => one))
describe('messages', () => messages(() => one))
describe('the whole ledger', () => wholeLedger(() => one))
describe('frozen and closed accounts', () => accountFaults(() => one))
describe('orders that are posted later', () => orders(() => one))
