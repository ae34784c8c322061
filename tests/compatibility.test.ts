import { brokenEvents, brokenRoutes } from './support/breaking.ts'
import { read } from './support/repository.ts'

/** Holds the contract against the one that was last given out (docs/contract.md). */

const RELEASED = 'tests/released'

const text = { type: 'string' }
const object = (properties: object, required: string[] = []) => ({ type: 'object', required, properties })

const routes = ({
  body = object({ a: text }),
  answer = object({ b: text }, ['b']),
  ...more
}: Given = {}) => ({
  paths: {
    '/things': {
      post: {
        requestBody: { content: { 'application/json': { schema: body } } },
        responses: {
          201: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
        },
        security: [],
        ...more,
      },
    },
  },
  components: { schemas: { Thing: answer } },
})

interface Given {
  body?: object
  answer?: object
  [name: string]: unknown
}

const events = (payload: object, version = 1, attributes: object = {}) => ({
  components: {
    messages: {
      'thing.made': {
        headers: { properties: { 'ce-dataschema': { const: `thing/${version}` }, ...attributes } },
        payload,
      },
    },
  },
})

const refusal = (name: string) => ({
  content: {
    'application/problem+json': {
      schema: object({ type: { enum: [`https://microbank.dev/problems/${name}`] } }),
    },
  },
})

const parameter = (required: boolean) => ({ name: 'k', in: 'query', required, schema: text })

test.each<[string, object, object, string[]]>([
  ['a removed route', routes(), { paths: {} }, ['POST /things is gone']],
  [
    'a new required field',
    routes(),
    routes({ body: object({ a: text, c: text }, ['c']) }),
    ['POST /things body/c is required now'],
  ],
  ['a removed field of the body', routes(), routes({ body: object({}) }), ['POST /things body/a is gone']],
  [
    'fewer values taken',
    routes({ body: object({ a: { enum: ['x', 'y'] } }) }),
    routes({ body: object({ a: { enum: ['x'] } }) }),
    ['POST /things body/a: value "y" is gone'],
  ],
  [
    'a lower limit',
    routes({ body: object({ a: { type: 'string', maxLength: 9 } }) }),
    routes({ body: object({ a: { type: 'string', maxLength: 8 } }) }),
    ['POST /things body/a: maxLength is 8, and was 9'],
  ],
  [
    'another type',
    routes({ body: object({ a: { type: 'number' } }) }),
    routes({ body: object({ a: { type: 'integer' } }) }),
    ['POST /things body/a: type "number" is gone'],
  ],
  [
    'an alternative less',
    routes({ body: object({ a: { anyOf: [text, { type: 'number' }] } }) }),
    routes({ body: object({ a: text }) }),
    ['POST /things body/a: an alternative is gone ("number")'],
  ],
  [
    'a change in an alternative',
    routes({ body: { oneOf: [object({ a: text }), object({ b: text })] } }),
    routes({ body: { oneOf: [object({ a: text }), object({ b: text, c: text }, ['c'])] } }),
    ['POST /things body/c is required now'],
  ],
  [
    'a change beside alternatives',
    routes({ body: { ...object({ a: text }), anyOf: [{ required: ['a'] }] } }),
    routes({ body: { ...object({ a: text, c: text }, ['c']), anyOf: [{ required: ['a'] }] } }),
    ['POST /things body/c is required now'],
  ],
  ['a removed field of the answer', routes(), routes({ answer: object({}) }), ['POST /things 201/b is gone']],
  [
    'a field of the answer that may be left out',
    routes(),
    routes({ answer: object({ b: text }) }),
    ['POST /things 201/b may be left out now'],
  ],
  [
    'a field of the answer that may be null',
    routes(),
    routes({ answer: object({ b: { anyOf: [text, { type: 'null' }] } }, ['b']) }),
    ['POST /things 201/b: an alternative is new ("null")'],
  ],
  [
    'new values in the answer',
    routes({ answer: object({ b: { enum: ['x'] } }, ['b']) }),
    routes({ answer: object({ b: { enum: ['x', 'y'] } }, ['b']) }),
    ['POST /things 201/b: value "y" is new'],
  ],
  [
    'a success that never comes',
    routes(),
    routes({ responses: { 200: {} } }),
    ['POST /things never answers 201 any more'],
  ],
  [
    'a parameter that is required now',
    routes({ parameters: [parameter(false)] }),
    routes({ parameters: [parameter(true)] }),
    ['POST /things query parameter k is required now'],
  ],
  [
    'a removed parameter',
    routes({ parameters: [parameter(false)] }),
    routes(),
    ['POST /things query parameter k is gone'],
  ],
  ['a token', routes(), routes({ security: [{ bearer: [] }] }), ['POST /things needs a token now']],
  [
    'a role',
    routes({ security: [{ bearer: [] }, { cookie: [] }] }),
    routes({ security: [{ bearer: ['operator'] }, { cookie: ['operator'] }] }),
    [
      'POST /things with bearer is only for the role operator now',
      'POST /things with cookie is only for the role operator now',
    ],
  ],
  [
    'a way in that is gone',
    routes({ security: [{ bearer: [] }, { cookie: [] }] }),
    routes({ security: [{ bearer: [] }] }),
    ['POST /things no longer takes cookie'],
  ],
  [
    'a second thing to show',
    routes({ security: [{ bearer: [] }] }),
    routes({ security: [{ bearer: [], cookie: [] }] }),
    ['POST /things no longer takes bearer'],
  ],
  [
    'a cookie of another name',
    { paths: {}, components: { securitySchemes: { cookie: { name: 'a', description: 'x' } } } },
    { paths: {}, components: { securitySchemes: { cookie: { name: 'b', description: 'x' } } } },
    ['the security scheme cookie is another'],
  ],
  [
    'a header that is gone',
    routes({ responses: { 201: { headers: { Location: {} } } } }),
    routes({ responses: { 201: {} } }),
    ['POST /things 201: the header Location is gone'],
  ],
  [
    'a format that is wanted',
    routes(),
    routes({ body: object({ a: { ...text, format: 'uuid' } }) }),
    ['POST /things body/a: format is limited now'],
  ],
  [
    'an object that is closed',
    routes(),
    routes({ body: { ...object({ a: text }), additionalProperties: false } }),
    ['POST /things body takes no other properties now'],
  ],
  [
    'a condition',
    routes({ body: { ...object({ a: text, c: text }), if: { required: ['a'] } } }),
    routes({
      body: { ...object({ a: text, c: text }), if: { required: ['a'] }, then: { required: ['c'] } },
    }),
    ['POST /things body: then is another'],
  ],
  [
    'a field that may not be sent',
    routes({ body: object({ a: {} }) }),
    routes({ body: object({ a: false }) }),
    ['POST /things body/a is gone'],
  ],
  [
    'items that must be of a kind',
    routes({ body: object({ a: { type: 'array' } }) }),
    routes({ body: object({ a: { type: 'array', items: text } }) }),
    ['POST /things body/a/items is limited now'],
  ],
  [
    'items that may be of any kind',
    routes({ answer: object({ b: { type: 'array', items: text } }, ['b']) }),
    routes({ answer: object({ b: { type: 'array' } }, ['b']) }),
    ['POST /things 201/b/items is no longer limited'],
  ],
  ['a condition less', routes({ body: { not: text } }), routes({ body: {} }), []],
  [
    'a problem of another name',
    routes({ responses: { 201: {}, 409: refusal('too-little-money') } }),
    routes({ responses: { 201: {}, 409: refusal('not-enough-money') } }),
    ['no route answers too-little-money any more'],
  ],
  [
    'a refusal that another route still has',
    routes({ responses: { 201: {}, 409: refusal('too-little-money') } }),
    {
      paths: {
        ...routes({ responses: { 201: {} } }).paths,
        '/others': { post: { responses: { 409: refusal('too-little-money') } } },
      },
    },
    [],
  ],
  ['another way in', routes({ security: [{ a: [] }] }), routes({ security: [{ a: [] }, { b: [] }] }), []],
  ['no token', routes({ security: [{ a: ['b'] }] }), routes(), []],
  [
    'another text about a scheme',
    { paths: {}, components: { securitySchemes: { cookie: { name: 'a', description: 'x' } } } },
    { paths: {}, components: { securitySchemes: { cookie: { name: 'a', description: 'y' } } } },
    [],
  ],
  ['nothing', routes(), routes(), []],
  ['a new field to send', routes(), routes({ body: object({ a: text, c: text }) }), []],
  ['a new field to get', routes(), routes({ answer: object({ b: text, c: text }, ['b', 'c']) }), []],
])('clients break by %s, or not', (_what, before, after, broken) => {
  expect(brokenRoutes(before, after)).toEqual(broken)
})

test.each<[string, object, object, string[]]>([
  ['a removed event', events(object({})), { components: { messages: {} } }, ['thing.made is gone']],
  ['a removed field', events(object({ a: text }, ['a'])), events(object({})), ['thing.made/a is gone']],
  [
    'a field that may be left out',
    events(object({ a: text }, ['a'])),
    events(object({ a: text })),
    ['thing.made/a may be left out now'],
  ],
  [
    'an attribute that is gone',
    events({}, 1, { 'ce-a': text }),
    events({}),
    ['thing.made attributes/ce-a is gone'],
  ],
  ['a new field', events(object({})), events(object({ a: text }, ['a'])), []],
  ['another version', events(object({ a: text }, ['a']), 1), events(object({}), 2), []],
])('consumers break by %s, or not', (_what, before, after, broken) => {
  expect(brokenEvents(before, after)).toEqual(broken)
})

const document = (folder: string, name: string): Document =>
  JSON.parse(read(`${folder}/${name}.json`)) as Document

interface Document {
  info: { version: string }
}

describe('compared with what was last given out', () => {
  const numbers = (folder: string, name: string): number[] =>
    document(folder, name).info.version.split('.').map(Number)

  test('which is one version, and none that is still to come', () => {
    const [kept, events, now] = [
      numbers(RELEASED, 'openapi'),
      numbers(RELEASED, 'asyncapi'),
      numbers('functions/web', 'openapi'),
    ] as [number[], number[], number[]]
    expect(events).toEqual(kept)
    const at = now.findIndex((number, i) => number !== kept[i])
    expect(at === -1 || now[at]! > kept[at]!).toBe(true)
  })

  test('no route breaks its clients, unless the version says so', () => {
    const [before, now] = [numbers(RELEASED, 'openapi'), numbers('functions/web', 'openapi')]
    // Below 1.0.0, a new minor version may break (semver.org, 4).
    const mayBreak = before[0] !== now[0] || (now[0] === 0 && before[1] !== now[1])
    const broken = brokenRoutes(document(RELEASED, 'openapi'), document('functions/web', 'openapi'))
    expect(mayBreak ? [] : broken).toEqual([])
  })

  test('no event breaks its consumers, unless it has a new version', () => {
    const broken = brokenEvents(document(RELEASED, 'asyncapi'), document('functions/web', 'asyncapi'))
    expect(broken).toEqual([])
  })
})
