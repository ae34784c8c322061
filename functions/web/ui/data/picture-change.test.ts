import { deliveredBetween, withChange } from './picture-change.ts'

const picture = {
  as_of: '2026-11-27T12:00:00Z',
  functions: [
    { name: 'accounts', state: 'zero' },
    { name: 'transfer', state: 'zero' },
  ],
  triggers: [
    { name: 'notify', delivered: 3 },
    { name: 'send-email', delivered: 1 },
  ],
  brokers: [{ name: 'default' }],
}

test('a change replaces the parts that it names, and no other', () => {
  const after = withChange(picture, { functions: [{ name: 'transfer', state: 'busy' }] })
  expect(after.functions.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'accounts zero',
    'transfer busy',
  ])
  expect(after.triggers).toEqual(picture.triggers)
})

test('what was delivered is the difference, and nothing if a bank has begun to count again', () => {
  const after = (notify: number | null) => ({
    ...picture,
    triggers: [
      { name: 'notify', delivered: notify },
      { name: 'new', delivered: 9 },
    ],
  })
  expect(deliveredBetween(picture, after(7))).toEqual([{ trigger: 'notify', count: 4 }])
  expect(deliveredBetween(picture, after(1))).toEqual([])
  expect(deliveredBetween(picture, after(null))).toEqual([])
})
