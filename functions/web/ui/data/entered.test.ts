import { dropEntered, findEntered, storeEntered } from './entered.ts'

const texts = new Map<string, string>()
const shelf = {
  getItem: (name: string) => texts.get(name) ?? null,
  setItem: (name: string, text: string) => void texts.set(name, text),
  removeItem: (name: string) => void texts.delete(name),
}

beforeEach(() => {
  texts.clear()
  Object.assign(globalThis, { sessionStorage: shelf })
})
afterEach(() => {
  jest.useRealTimers()
  Reflect.deleteProperty(globalThis, 'sessionStorage')
})

const ADA = 'ada'
const DAY_MS = 86_400_000
const entered = { 'message/text': 'Dear Bob' }
const found = (owner: string, page: string) => findEntered(owner, page).entered

test('what was entered is found by its user, on its page, until it stands there again', () => {
  storeEntered(ADA, '/office', entered)
  expect([found('bob', '/office'), found(ADA, '/me')]).toEqual([{}, {}])
  dropEntered(ADA, '/me')
  expect(found(ADA, '/office')).toEqual(entered)
  dropEntered(ADA, '/office')
  expect([found(ADA, '/office'), texts.size]).toEqual([{}, 0])
})

test('a page on which nothing was entered leaves what another had', () => {
  storeEntered(ADA, '/office', entered)
  storeEntered(ADA, '/me', {})
  expect(found(ADA, '/office')).toEqual(entered)
})

test('a key that the bank may have forgotten is not found', () => {
  jest.useFakeTimers()
  storeEntered(ADA, '/payments', { confirming: { key: 'k' } })
  jest.setSystemTime(Date.now() + 7 * DAY_MS)
  expect(found(ADA, '/payments')).toEqual({})
})

test('nor is one that was kept again meanwhile: it got no younger', () => {
  jest.useFakeTimers()
  storeEntered(ADA, '/payments', { confirming: { key: 'k' } })
  jest.setSystemTime(Date.now() + 4 * DAY_MS)
  const { entered: again, keptAtMs } = findEntered(ADA, '/payments')
  expect(again).toEqual({ confirming: { key: 'k' } })
  storeEntered(ADA, '/payments', again, keptAtMs)
  jest.setSystemTime(Date.now() + 4 * DAY_MS)
  expect(found(ADA, '/payments')).toEqual({})
})

test('what the browser keeps is no obstacle if it is no JSON, or if the browser keeps nothing', () => {
  texts.set('microbank.entered.ada', '{')
  expect(found(ADA, '/office')).toEqual({})
  Reflect.deleteProperty(globalThis, 'sessionStorage')
  storeEntered(ADA, '/office', entered)
  expect(found(ADA, '/office')).toEqual({})
})
