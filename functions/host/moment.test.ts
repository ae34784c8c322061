import fc from 'fast-check'
import { createAjv } from './http/compile-validators.ts'
import { dateOrMoment, momentSchema, readMoment, readStart } from './moment.ts'
import type { FieldError, ProblemError } from './problems.ts'
import { isRule, shown } from './testing/shown.ts'

const digits = (min: number, max: number, length: number) =>
  fc.integer({ min, max }).map((number) => String(number).padStart(length, '0'))

const day = fc
  .tuple(
    fc.oneof(digits(0, 2, 4), digits(9990, 9999, 4), digits(1890, 2110, 4)),
    digits(0, 13, 2),
    digits(0, 32, 2),
  )
  .map((parts) => parts.join('-'))
const moment = fc
  .tuple(
    day,
    fc.constantFrom('T', 't', ' ', ''),
    fc.tuple(digits(0, 24, 2), digits(0, 60, 2), fc.oneof(digits(0, 61, 2), digits(60, 60, 2))),
    fc.constantFrom('', '.5', '.'),
    fc.constantFrom('Z', 'z', '+23:59', '-23:59', '+24:00', ''),
  )
  .map(([date, separator, time, fraction, offset]) => date + separator + time.join(':') + fraction + offset)

describe.each([
  ['moments', momentSchema, readMoment],
  ['dates and moments', dateOrMoment, readStart],
])('the contract of %s', (_what, schema, read) => {
  const [isChecked, fits] = [createAjv('query').compile(schema), shown(schema)]

  /** The fault that the bank finds in a text; undefined if it takes it. */
  function faultOf(text: string): FieldError | undefined {
    if (!isChecked(text)) return { path: '/from', message: 'is not of the schema' }
    try {
      read(text, '/from')
      return undefined
    } catch (error) {
      return ((error as ProblemError).reply.body as { errors: FieldError[] }).errors[0]!
    }
  }

  test('takes what the bank takes, and of the rest only what an offset moves out of all years', () => {
    fc.assert(
      fc.property(fc.oneof(day, moment), (text) => {
        const fault = faultOf(text)
        if (!fault) expect([text, fits(text)]).toEqual([text, true])
        else if (fits(text)) expect([text, isRule(fault)]).toEqual([text, true])
      }),
      { numRuns: 5000 },
    )
  })

  test.each(['0000-01-01T00:00:00Z', '2016-12-31T23:59:60Z', '2026-02-31T00:00:00Z'])(
    'takes no %s',
    (text) => {
      expect(fits(text)).toBe(false)
      expect(faultOf(text)).toBeDefined()
    },
  )
})
