import { shown } from '../../host/testing/shown.ts'
import { batchedSchema, checkFields, type BatchedTransaction } from './batch.ts'

const id = '0197e5a4-0000-7000-8000-000000000000'

test('the contract and the bank agree on which fields go with which type', () => {
  const fits = shown(batchedSchema)
  for (const type of ['deposit', 'withdrawal', 'transfer'] as const)
    for (const to of [{}, { to_account_id: id }])
      for (const day of [{}, { value_date: '2026-07-01' }]) {
        const asked = { type, account_id: id, amount: '1.00', ...to, ...day } as BatchedTransaction
        const isTaken =
          type === 'transfer' ? 'to_account_id' in to && !('value_date' in day) : !('to_account_id' in to)
        expect([asked, fits(asked), checkFields(asked).length === 0]).toEqual([asked, isTaken, isTaken])
      }
})
