import { EnteredPage } from './entered.ts'

test('a page gives each field what it had once, and what no field has taken is kept again', () => {
  const page = new EnteredPage({ 'message/text': 'Dear Ada', template: '' })
  expect(page.find('message/text')).toBe('Dear Ada')
  const leave = page.add('message/text', () => 'Dear Ada,')
  expect([page.find('message/text'), page.all()]).toEqual([
    undefined,
    { 'message/text': 'Dear Ada,', template: '' },
  ])
  leave()
  expect(page.all()).toEqual({ template: '' })
})

test('a field in which nothing was entered is not kept', () => {
  const page = new EnteredPage({})
  page.add('message/text', () => undefined)
  expect(page.all()).toEqual({})
})

test('a field that takes the place of another is not forgotten when the other goes', () => {
  const page = new EnteredPage({})
  const leave = page.add('schedule.on', () => '31')
  page.add('schedule.on', () => 'mon')
  leave()
  expect(page.all()).toEqual({ 'schedule.on': 'mon' })
})
