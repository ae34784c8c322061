import { keyDates } from './key-dates.ts'

test('the newest key of each Secret counts, and one that has no date says nothing', () => {
  const ofTokens = [{ kid: 'old', iat: 5 }, { kid: 'new', iat: 9 }, { kid: 'of an earlier version' }]
  const ofCalls = [{ iss: 'payments', iat: 7 }, { iss: 'documents' }, { iss: 'documents', iat: '8' }]
  expect(keyDates([...ofTokens, ...ofCalls])).toEqual({ 'token-signing-key': 9, 'payments-calls': 7 })
  expect(keyDates([])).toEqual({})
})
