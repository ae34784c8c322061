import fc from 'fast-check'
import { currencies } from '../../../host/values/currencies.ts'
import { AMOUNT_MAX, formatAmount, parseAmount } from '../../../host/values/money.ts'
import { formatMoney, sumOf, toDecimal, toMinorUnits } from './money.ts'
import { readTypedAmount } from './typed-amount.ts'

const currency = fc.constantFrom(...currencies.keys())
const minorUnits = fc.bigInt(1n, AMOUNT_MAX)
const locale = fc.constantFrom('en', 'de', 'en-GB', 'de-AT', 'de-CH')
const digitsOf = (text: string): string => text.replaceAll(/\D/g, '')

describe('amounts', () => {
  test('are the same to the page as to the bank', () => {
    fc.assert(
      fc.property(fc.bigInt(-AMOUNT_MAX, AMOUNT_MAX), currency, (amount, code) => {
        const decimal = toDecimal(amount, code)
        expect(decimal).toBe(formatAmount(amount, code))
        expect(toMinorUnits(decimal, code)).toBe(amount)
      }),
    )
  })

  test('are added to the cent, however large', () => {
    expect(sumOf([], 'USD')).toBe('0.00')
    expect(sumOf(['0.10', '0.20', '-0.30'], 'USD')).toBe('0.00')
    expect(sumOf(['90071992547409931.23', '0.02'], 'USD')).toBe('90071992547409931.25')
    expect(sumOf(['1', '-3'], 'JPY')).toBe('-2')
  })

  test.each(['', '1,00', '1.', '.5', '1e3', 'NaN', '+1', ' 1', '0.001'])('%p USD is a defect', (text) => {
    expect(() => toMinorUnits(text, 'USD')).toThrow(`expected an amount in USD, got '${text}'`)
    expect(() => formatMoney(text, 'USD', { locale: 'en' })).toThrow('expected an amount')
  })
})

describe('for people', () => {
  test.each([
    ['1234.50', 'USD', { locale: 'en' }, '$1,234.50'],
    ['-1234.5', 'USD', { locale: 'en' }, '−$1,234.50'],
    ['200.00', 'USD', { locale: 'en', signed: true }, '+$200.00'],
    ['0.00', 'USD', { locale: 'en', signed: true }, '$0.00'],
    ['1234.50', 'EUR', { locale: 'de' }, '1.234,50\u00a0€'],
    ['-1234.50', 'EUR', { locale: 'de', unit: 'none' }, '−1.234,50'],
    ['1234.50', 'USD', { locale: 'en', unit: 'code' }, '1,234.50\u00a0USD'],
    ['12', 'JPY', { locale: 'en' }, '¥12'],
    ['12.00', 'USD', { locale: 'en-GB' }, '$12.00'],
    // Other dollars say whose they are.
    ['12.00', 'CAD', { locale: 'en-GB' }, 'CA$12.00'],
    ['12.00', 'AUD', { locale: 'de' }, '12,00\u00a0AU$'],
    ['1.005', 'BHD', { locale: 'en', unit: 'none' }, '1.005'],
    // Browsers know no decimals of it; the bank does.
    ['1.50', 'HUF', { locale: 'en', unit: 'none' }, '1.50'],
    ['90071992547409931.23', 'USD', { locale: 'en' }, '$90,071,992,547,409,931.23'],
  ] as const)('%s %s with %p is %s', (amount, code, format, expected) => {
    expect(formatMoney(amount, code, format)).toBe(expected)
  })

  test('all digits of any amount are shown', () => {
    fc.assert(
      fc.property(minorUnits, currency, locale, (amount, code, where) => {
        const decimal = toDecimal(amount, code)
        expect(digitsOf(formatMoney(decimal, code, { locale: where, unit: 'none' }))).toBe(digitsOf(decimal))
      }),
    )
  })
})

describe('what is typed', () => {
  test.each([
    ['200', 'USD', 'en', '200.00'],
    ['1,234.50', 'USD', 'en', '1234.50'],
    ['1.234,50', 'USD', 'en', '1234.50'],
    ['1,234.50', 'EUR', 'de', '1234.50'],
    ['1.234,50', 'EUR', 'de', '1234.50'],
    ['1,234', 'USD', 'en', '1234.00'],
    ['1.234', 'EUR', 'de', '1234.00'],
    ['12,5', 'USD', 'en', '12.50'],
    ['12.5', 'EUR', 'de', '12.50'],
    ['1.234.567', 'USD', 'en', '1234567.00'],
    ['.5', 'USD', 'en', '0.50'],
    ['5.', 'USD', 'en', '5.00'],
    ['007', 'USD', 'en', '7.00'],
    ["1'234.50", 'CHF', 'de', '1234.50'],
    ['1 234,50', 'EUR', 'de', '1234.50'],
    ['$1,234.50', 'USD', 'en', '1234.50'],
    ['1.234,50 €', 'EUR', 'de', '1234.50'],
    ['usd 5', 'USD', 'en', 'no-number'],
    ['USD 5', 'USD', 'en', '5.00'],
    ['1.234', 'BHD', 'en', '1.234'],
    ['1,234', 'BHD', 'en', '1234.000'],
    ['10000000000000', 'USD', 'en', '10000000000000.00'],
    ['10000000000000.01', 'USD', 'en', 'too-much'],
    ['', 'USD', 'en', 'missing'],
    ['  ', 'USD', 'en', 'missing'],
    ['0,00', 'EUR', 'de', 'zero'],
    ['0.001', 'USD', 'en', 'too-many-decimals'],
    ['1,234', 'EUR', 'de', 'too-many-decimals'],
    ['1.234', 'USD', 'en', 'too-many-decimals'],
    ['1.5', 'JPY', 'en', 'too-many-decimals'],
    ['-5', 'USD', 'en', 'no-number'],
    ['€5', 'USD', 'en', 'no-number'],
    ['1,23,456.00', 'USD', 'en', 'no-number'],
    ['1.2.3', 'USD', 'en', 'no-number'],
    ['1,234.567,00', 'USD', 'en', 'no-number'],
    ['1e3', 'USD', 'en', 'no-number'],
    ['１２', 'USD', 'en', 'no-number'],
    [',', 'USD', 'en', 'no-number'],
  ] as const)('%p %s in %s is %s', (text, code, where, expected) => {
    const read = readTypedAmount(text, code, where)
    expect('amount' in read ? read.amount : read.fault).toBe(expected)
  })

  test('zero is an amount only where it is a limit', () => {
    expect(readTypedAmount('0,00', 'EUR', 'de')).toEqual({ fault: 'zero' })
    expect(readTypedAmount('0,00', 'EUR', 'de', { takesZero: true })).toEqual({ amount: '0.00' })
  })

  test('whatever is shown can be typed again, with and without its unit', () => {
    fc.assert(
      fc.property(minorUnits, currency, locale, (amount, code, where) => {
        const decimal = toDecimal(amount, code)
        for (const unit of ['symbol', 'code', 'none'] as const) {
          const shown = formatMoney(decimal, code, { locale: where, unit })
          expect([shown, readTypedAmount(shown, code, where)]).toEqual([shown, { amount: decimal }])
        }
      }),
    )
  })

  test('whatever is read has the digits that were typed, and is an amount to the bank', () => {
    const typed = fc.string({ unit: fc.constantFrom(...'0123456789.,'), maxLength: 14 })
    fc.assert(
      fc.property(typed, currency, locale, (text, code, where) => {
        const read = readTypedAmount(text, code, where)
        if ('fault' in read) return
        expect(parseAmount(read.amount, code)).toHaveProperty('minorUnits')
        const bare = (digits: string): string => digits.replace(/^0+/, '').replace(/0+$/, '')
        expect(bare(digitsOf(read.amount))).toBe(bare(digitsOf(text)))
      }),
      { numRuns: 1000 },
    )
  })
})
