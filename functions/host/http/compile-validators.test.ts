import fc from 'fast-check'
import { operation, route } from '../operation.ts'
import { idParams } from '../schema.ts'
import { compileValidators, createAjv, validatorsSource } from './compile-validators.ts'
import { messageOf, type Part, type Validators } from './validation.ts'

const isMoment = createAjv('body').compile({ type: 'string', format: 'date-time' })

test.each([
  '2026-11-26T16:03:53Z',
  '2026-11-26T16:03:53.123456Z',
  '2026-11-26t16:03:53z',
  '2026-11-26 16:03:53+01:00',
  '2024-02-29T00:00:00-23:59',
  '2000-02-29T00:00:00Z',
  '0001-01-01T00:00:00Z',
])('%s is a moment', (text) => expect(isMoment(text)).toBe(true))

test.each([
  '2026-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:60:00Z',
  '2026-01-01T23:59:60Z',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01',
  '12026-01-01T00:00:00Z',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z\n',
  '２026-01-01T00:00:00Z',
])('%j is none', (text) => expect(isMoment(text)).toBe(false))

test('a day is one exactly if the calendar has it', () => {
  const part = (min: number, max: number, digits: number) =>
    fc.integer({ min, max }).map((number) => String(number).padStart(digits, '0'))
  fc.assert(
    fc.property(part(1, 9999, 4), part(0, 13, 2), part(0, 32, 2), (year, month, day) => {
      const text = `${year}-${month}-${day}T12:00:00.000Z`
      const date = new Date(text)
      const exists = !Number.isNaN(date.getTime()) && date.toISOString() === text
      expect([text, isMoment(text)]).toEqual([text, exists])
    }),
    { numRuns: 2000 },
  )
})

describe('the source of the validators', () => {
  const declared = {
    ...({ who: 'anyone', summary: '', answers: { 200: undefined } } as const),
    handle: async () => ({ status: 200 }),
  }
  const body = {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 2, pattern: '^[^"\\p{Cc}]*$' },
      size: { enum: ['small', 'large'] },
    },
  } as const
  const notes = operation({
    ...{ name: 'notes', context: 'web', summary: '' },
    routes: [
      route({ ...declared, method: 'GET', path: '/notes/{id}', params: idParams }),
      route({ ...declared, method: 'DELETE', path: '/notes/{id}', params: idParams }),
      route({ ...declared, method: 'POST', path: '/notes', body }),
    ],
  })
  const fromSource = (): Validators => {
    const exported = {}
    new Function('exports', 'require', validatorsSource(notes))(exported, require)
    return (exported as { validators: Validators }).validators
  }
  const faults = (validators: Validators, key: string, part: Part, value: unknown) => {
    const validator = validators[key]![part]!
    return validator(structuredClone(value))
      ? []
      : validator.errors!.map((error) => {
          const { schemaPath: _, ...fault } = error
          return { ...fault, message: messageOf(error) }
        })
  }

  test.each([
    ['GET /notes/{id}', 'params', { id: 'none' }],
    ['GET /notes/{id}', 'query', { page: '1' }],
    ['DELETE /notes/{id}', 'params', { id: '0197e5a4-0000-7000-8000-000000000000' }],
    ['DELETE /notes/{id}', 'body', { name: 'ink' }],
    ['POST /notes', 'query', {}],
    ['POST /notes', 'body', { name: 'i', size: 'vast', weight: 1 }],
    ['POST /notes', 'body', { name: 'red "ink"' }],
    ['POST /notes', 'body', 'ink'],
    ['POST /notes', 'body', { name: 'ink' }],
  ] as const)('finds the same faults as the compiler: %s, %s', (key, part, value) => {
    expect(faults(fromSource(), key, part, value)).toEqual(faults(compileValidators(notes), key, part, value))
  })

  test('is not made of a schema that is none', () => {
    const wrong = { ...body, required: 'name' } as unknown as typeof body
    const routes = [route({ ...declared, method: 'POST', path: '/notes', body: wrong })]
    expect(() => validatorsSource({ ...notes, routes })).toThrow(
      'schema is invalid: data/required must be array',
    )
  })

  test('has a validator for each part that a route reads, and one for all routes with the same schema', () => {
    const validators = fromSource()
    const parts = Object.entries(validators).map(([key, found]) => [key, Object.keys(found)])
    expect(Object.fromEntries(parts)).toEqual({
      'GET /notes/{id}': ['query', 'params'],
      'DELETE /notes/{id}': ['body', 'query', 'params'],
      'POST /notes': ['body', 'query'],
    })
    expect(validators['GET /notes/{id}']!.params).toBe(validators['DELETE /notes/{id}']!.params)
    expect(validators['GET /notes/{id}']!.query).toBe(validators['POST /notes']!.query)
  })
})
