import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { brokenEvents, brokenRoutes } from './support/breaking.ts'
import { read, ROOT } from './support/repository.ts'

/** Holds the contract against that of the last release (docs/contract.md). */

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

const events = (payload: object, version = 1) => ({
  components: {
    messages: {
      'thing.made': { headers: { properties: { 'ce-dataschema': { const: `thing/${version}` } } }, payload },
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
  ['a new field', events(object({})), events(object({ a: text }, ['a'])), []],
  ['another version', events(object({ a: text }, ['a']), 1), events(object({}), 2), []],
])('consumers break by %s, or not', (_what, before, after, broken) => {
  expect(brokenEvents(before, after)).toEqual(broken)
})

describe('compared with the last release', () => {
  const of = (folder: string, name: string): { info: { version: string } } =>
    JSON.parse(read(`${folder}/${name}.json`)) as { info: { version: string } }
  // Before the first release there is nothing to keep to: the contract is then compared with itself.
  const last = existsSync(join(ROOT, RELEASED, 'openapi.json')) ? RELEASED : 'functions/web'
  const isSameMajor = (name: string): boolean => {
    const [before, now] = [of(last, name), of('functions/web', name)].map(({ info }) =>
      info.version.split('.'),
    )
    // Below 1.0.0, a new minor version may break (semver.org, 4).
    return before![0] === now![0] && (now![0] !== '0' || before![1] === now![1])
  }

  test(`${last === RELEASED ? 'no route breaks its clients' : 'nothing is released yet'}, unless the version says so`, () => {
    const broken = brokenRoutes(of(last, 'openapi'), of('functions/web', 'openapi'))
    expect(isSameMajor('openapi') ? broken : []).toEqual([])
  })

  test('no event breaks its consumers, unless it has a new version', () => {
    const broken = brokenEvents(of(last, 'asyncapi'), of('functions/web', 'asyncapi'))
    expect(broken).toEqual([])
  })
})
