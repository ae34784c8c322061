import type { Language } from './formats.ts'
import { formatMoney, formatsOf, languages } from './formats.ts'
import { notified, type NotifiedType } from './notified.ts'
import { eventText, templatesOf } from './templates.ts'

const types = Object.keys(notified) as NotifiedType[]

const textOf = (type: NotifiedType, language: Language, change: object = {}) =>
  eventText(type, { ...notified[type].contract.example, ...change }, language)

test.each(types)('%s has a title and a text in each language, with nothing left out', (type) => {
  expect(notified[type].contract.type).toBe(type)
  const all = languages.map((language) => textOf(type, language))
  for (const { title, text } of all) {
    expect(title).toMatch(/^\S.{3,40}\S$/)
    expect(title + text).not.toMatch(/undefined|null|NaN|\[object|\n/)
  }
  expect(new Set(all.map(({ text }) => text)).size).toBe(languages.length)
})

test('money and times are written as readers of the language write them', () => {
  expect(textOf('transaction.completed', 'de', { fee: '1.50', new_balance: '1234567.89' }).text).toBe(
    'Einzahlung von 200,00\u00a0$ ausgeführt. Gebühr: 1,50\u00a0$. Neuer Kontostand: 1.234.567,89\u00a0$',
  )
  expect(formatMoney('1200', 'JPY', 'de')).toBe('1.200\u00a0¥')
  expect(formatsOf('en').time('2026-01-05T21:30:00.000Z')).toBe('Jan 5, 2026, 9:30 PM UTC')
  expect(formatsOf('de').time('2026-01-05T21:30:00.000Z')).toBe('05.01.2026, 21:30 UTC')
})

test('a payout of one payment is one payment', () => {
  expect(textOf('payout.completed', 'en', { paid: 1 }).text).toContain(' in 1 payment. ')
  expect(textOf('payout.completed', 'de', { paid: 1 }).text).toContain(' in 1 Zahlung. ')
  expect(textOf('payout.completed', 'de', { paid: 2 }).text).toContain(' in 2 Zahlungen. ')
})

test('the rest of a captured hold is named only if there is one', () => {
  expect(textOf('hold.captured', 'en').text).toContain('$20.00 is available again')
  expect(textOf('hold.captured', 'en', { released: '0.00' }).text).not.toContain('again')
})

test('a top-up that the bank has paid back says so', () => {
  for (const language of languages)
    expect(textOf('topup.failed', language, { failure: 'settled-outside' }).text).toMatch(
      /paid it back|zurückgezahlt/,
    )
  expect(textOf('topup.failed', 'en').text).toContain('No money was taken')
})

test('no message repeats what another person wrote', () => {
  const words = 'Your account is locked, see https://evil.example'
  for (const type of types)
    for (const language of languages)
      expect(textOf(type, language, { description: words, reason: words }).text).not.toContain('evil')
})

test('a greeting needs no name', () => {
  expect(languages.map((language) => templatesOf(language).email.greeting(''))).toEqual([
    'Hello,',
    'Guten Tag,',
  ])
})
