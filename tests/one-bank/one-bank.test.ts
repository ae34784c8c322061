import { badInput } from './bad-input.part.ts'
import { documents } from './documents.part.ts'
import { messages } from './messages.part.ts'
import { startOneBank, type OneBank } from './one-bank.ts'
import { ordersAndPayouts } from './orders-and-payouts.part.ts'
import { payments } from './payments.part.ts'
import { webHooks } from './web-hooks.part.ts'
import { wholeLedger } from './whole-ledger.part.ts'

/** One whole bank, because to start one takes longer than most of these parts. Each has customers of its own
 * and looks at nobody else's rows. The last one sets a fee, which all would pay after it. */

let one: OneBank
beforeAll(async () => void (one = await startOneBank()))
afterAll(() => one?.stop())

describe('bad input', () => badInput(() => one))
describe('payments', () => payments(() => one))
describe('payment orders and payouts', () => ordersAndPayouts(() => one))
describe('web hooks', () => webHooks(() => one))
describe('documents', () => documents(() => one))
describe('messages', () => messages(() => one))
describe('the whole ledger', () => wholeLedger(() => one))
