import { clientApi } from '../../../knative/build/client-api.mjs'
import { read } from '../../../tests/support/repository.ts'

test('api.ts is what `npm run openapi` would write now', () => {
  expect(read('functions/web/client/api.ts')).toBe(
    clientApi(JSON.parse(read('functions/web/openapi.json')) as object),
  )
})

const written = (schema: object): string => {
  const text = clientApi({ paths: {}, components: { schemas: { Written: schema } } })
  return /export type Written = ([^]*?)\n\n/.exec(text)![1]!
}

test.each([
  [{ type: 'string', format: 'uuid' }, 'string'],
  [{ type: ['integer', 'null'] }, 'number | null'],
  [{ const: "it's" }, String.raw`'it\'s'`],
  [{ enum: ['a', 1, null] }, `'a' | 1 | null`],
  [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, '(string | null)[]'],
  [{ type: 'array', items: { $ref: '#/components/schemas/Account' } }, 'Account[]'],
  [{ type: 'object', additionalProperties: { type: 'boolean' } }, 'Record<string, boolean>'],
  [{ oneOf: [{ $ref: '#/a/A' }, { $ref: '#/a/B' }] }, 'A | B'],
  [{ allOf: [{ $ref: '#/a/A' }, { oneOf: [{ $ref: '#/a/B' }, { $ref: '#/a/C' }] }] }, 'A & (B | C)'],
  [
    { type: 'object', required: ['a'], properties: { a: { type: 'number' }, 'b-c': {} } },
    `{\n  a: number\n  'b-c'?: unknown\n}`,
  ],
  // A condition on what is there says nothing of its type.
  [
    {
      type: 'object',
      properties: { a: { type: 'null' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    '{\n  a?: null\n}',
  ],
])('%j becomes its type', (schema, type) => {
  expect(written(schema)).toBe(type)
})
