import { dotsOf } from './dots.ts'

test('each event is a dot, up to ten at a time', () => {
  expect(dotsOf([{ trigger: 'notify', count: 3 }])).toEqual(['notify', 'notify', 'notify'])
  expect(dotsOf([])).toEqual([])
})

test('beyond ten, every Trigger still has dots', () => {
  const dots = dotsOf([
    { trigger: 'notify', count: 500 },
    { trigger: 'send-email', count: 2 },
  ])
  expect(dots).toHaveLength(10)
  expect(dots.filter((trigger) => trigger === 'send-email')).toHaveLength(2)
  expect(dotsOf(Array.from({ length: 30 }, (_, n) => ({ trigger: `t${n}`, count: 1 })))).toHaveLength(10)
})
