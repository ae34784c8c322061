import type { Entry } from '../../data/entries.ts'
import { kindOf } from './entry-words.ts'

const entry = (type: Entry['transaction_type'], amount: string, transaction = 'a') =>
  ({ transaction_type: type, amount, transaction_id: transaction }) as Entry

test('the second entry of a transaction is its fee, or the fee that a reversal gives back', () => {
  const out = entry('withdrawal', '-10.00')
  expect(kindOf(out, undefined)).toBe('withdrawal')
  expect(kindOf(out, entry('deposit', '10.00', 'b'))).toBe('withdrawal')
  expect(kindOf(entry('withdrawal', '-0.10'), out)).toBe('fee')
  expect(kindOf(entry('reversal', '0.10'), entry('reversal', '10.00'))).toBe('feeBack')
  // Whether or not the entry before is on the page.
  expect(kindOf(entry('deposit', '-0.10'), undefined)).toBe('fee')
})
