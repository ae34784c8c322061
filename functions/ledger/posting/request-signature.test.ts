import { transactionRequested } from '../../../eventing/contracts/transaction.requested.ts'
import { EventRefusedError } from '../../host/http/events.ts'
import { checkSignature, signRequest } from './request-signature.ts'

const KEY = 'a key that is only good for tests, no more'
const order = transactionRequested.example
const signature = signRequest(order, KEY)

test('an order passes as it was signed, whatever the sequence of its fields', () => {
  const reversed = Object.fromEntries(Object.entries(order).reverse()) as unknown as typeof order
  expect(() => checkSignature(order, signature, KEY)).not.toThrow()
  expect(() => checkSignature(reversed, signature, KEY)).not.toThrow()
})

test.each([
  ['another amount', { ...order, amount: '999999.00' }, signature, KEY],
  ['another user', { ...order, requested_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e99' }, signature, KEY],
  ['another key', order, signature, `${KEY}!`],
  ['a signature cut short', order, signature.slice(0, -1), KEY],
  ['no signature', order, undefined, KEY],
  ['a signature that is not text', order, 7, KEY],
])('%s is refused', (_what, changed, given, key) => {
  const check = () => checkSignature(changed, given, key)
  expect(check).toThrow(/was not signed by this bank/)
  // Only then does its dead letter say so.
  expect(check).toThrow(EventRefusedError)
})
