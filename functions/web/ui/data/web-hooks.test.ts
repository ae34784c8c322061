import { operatorTypes, customerTypes } from '../../../payments/web-hooks/types.ts'
import { lookAgainAt } from './due-soon.ts'
import { hookTypesFor } from './hook-types.ts'

test.each([
  ['customer', customerTypes],
  ['operator', operatorTypes],
] as const)('a %s is offered each type that the bank takes', (role, taken) => {
  expect(
    hookTypesFor(role)
      .flatMap(({ types }) => types)
      .sort(),
  ).toEqual([...taken].sort())
})

const due = (at: string | null) => ({ next_attempt_at: at })

test('deliveries are looked at again while one is due soon, and not for hours', () => {
  const now = Date.parse('2026-02-03T10:00:00Z')
  expect([
    lookAgainAt([], now),
    lookAgainAt([due(null)], now),
    lookAgainAt([due('2026-02-03T12:00:00Z')], now),
    lookAgainAt([due(null), due('2026-02-03T10:00:30Z')], now),
    lookAgainAt([due('2026-02-03T09:59:59Z')], now),
  ]).toEqual([false, false, false, 2_000, 2_000])
})
