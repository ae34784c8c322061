import fc from 'fast-check'
import { CloudEvent } from 'cloudevents'
import { ATTRIBUTES_BYTES_MAX, hasPlainFormats } from './attributes.ts'
import { readEvent } from './broker/event.ts'
import { binaryHeaders, toCloudEvent } from './http-binding.ts'
import { memberText } from './structured.ts'

const required = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
const structuredEvent = (more: string) =>
  readEvent(structured, Buffer.from(`{"specversion":"1.0","id":"1","source":"/s","type":"t"${more}}`))

test('an event stays the same over HTTP headers, whatever its attributes hold', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(text, (subject) => {
      fc.pre(!/\p{Cc}/u.test(subject))
      const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't', subject }
      const headers = binaryHeaders(attributes)
      for (const value of Object.values(headers)) expect(value).toMatch(/^[\x21-\x7e]+$/)
      expect(readEvent(headers, Buffer.alloc(0)).attributes).toEqual(attributes)
    }),
  )
})

test('a header that is not percent-encoded by the rules is taken as it is', () => {
  const subjectOf = (value: string) => readEvent({ ...required, 'ce-subject': value }, Buffer.alloc(0))
  expect(subjectOf('100%').attributes.subject).toBe('100%')
  expect(subjectOf('a b').attributes.subject).toBe('a b')
  expect(subjectOf(Buffer.from('ü').toString('latin1')).attributes.subject).toBe('ü')
})

test('a member of a JSON object is found as it is written', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue()).chain((object) =>
    fc.record({
      object: fc.constant(object),
      data: fc.jsonValue(),
      space: fc.constantFrom(undefined, 1, '\t'),
    }),
  )
  fc.assert(
    fc.property(json, ({ object, data, space }) => {
      const text = JSON.stringify({ ...object, data, z: 1 }, null, space)
      expect(JSON.parse(memberText(text, 'data'))).toEqual(JSON.parse(text).data)
    }),
  )
  expect(memberText('{"data": 1.0, "x": {"data": 2}, "d\\u0061ta":  [ 3e0 ] }', 'data')).toBe('[ 3e0 ]')
})

test('structured data is text, JSON or base64 by its content type', () => {
  const dataOf = (more: string) => structuredEvent(more).data.toString()
  expect(dataOf(',"datacontenttype":"text/plain","data":"a\\nb"')).toBe('a\nb')
  expect(dataOf(',"datacontenttype":"application/json","data":"a"')).toBe('"a"')
  expect(dataOf(',"datacontenttype":"application/vnd.bank+json; v=1","data":"a"')).toBe('"a"')
  expect(dataOf(',"data":1.50')).toBe('1.50')
  expect(dataOf(',"data":null')).toBe('null')
  expect(dataOf(',"data_base64":"AP8="')).toBe(Buffer.from([0, 255]).toString())
  expect(dataOf('')).toBe('')
  expect(structuredEvent(',"data":1').attributes.datacontenttype).toBe('application/json')
})

test.each([
  ['both kinds of data', ',"data":1,"data_base64":"AA=="'],
  ['bad base64', ',"data_base64":"A?=="'],
  ['an object as attribute', ',"extra":{}'],
  ['a fraction as attribute', ',"extra":1.5'],
  ['a control character', ',"extra":"a\\u0000"'],
  ['half a surrogate pair', ',"extra":"\\ud800"'],
  ['a name in capitals', ',"Extra":"a"'],
  ['an invalid time', ',"time":"yesterday"'],
  ['a relative dataschema', ',"dataschema":"a/b"'],
  ['too much in attributes', `,"extra":"${'a'.repeat(ATTRIBUTES_BYTES_MAX)}"`],
])('%s is refused', (_, more) => {
  expect(() => structuredEvent(more)).toThrow()
})

test('a body that is not UTF-8 is refused', () => {
  const body = Buffer.from('{"specversion":"1.0","id":"\xff","source":"/s","type":"t"}', 'latin1')
  expect(() => readEvent(structured, body)).toThrow('not JSON')
})

test('a batch is refused', () => {
  const batch = { 'content-type': 'application/cloudevents-batch+json' }
  expect(() => readEvent(batch, Buffer.from('[]'))).toThrow('expected a CloudEvent')
})

test('an invalid trace context is left out', () => {
  const event = readEvent({ ...required, traceparent: 'rubbish' }, Buffer.alloc(0))
  expect(event.attributes).not.toHaveProperty('traceparent')
})

test('every format that counts as plain is valid by the specification', () => {
  const two = fc.integer({ min: 0, max: 62 }).map((n) => String(n).padStart(2, '0'))
  const time = fc
    .tuple(fc.integer({ min: 1990, max: 2050 }), two, two, two, two, two)
    .map(([year, month, day, ...rest]) => `${year}-${month}-${day}T${rest.join(':')}Z`)
  const part = fc.string({ unit: fc.constantFrom(...'/:.~%?#[]-_ab1'), maxLength: 8 })
  const attributes = fc.record({
    specversion: fc.constant('1.0'),
    id: fc.constant('1'),
    type: fc.constant('t'),
    source: part.map((text) => `/${text}`),
    dataschema: part.map((text) => `https://a${text}`),
    time,
  })
  let plain = 0
  fc.assert(
    fc.property(attributes, (event) => {
      if (!hasPlainFormats(event)) return
      plain++
      new CloudEvent(event)
    }),
    { numRuns: 5_000 },
  )
  expect(plain).toBeGreaterThan(0)
  expect(hasPlainFormats({ source: '/s', time: '2026-02-29T10:00:00Z' })).toBe(false)
  expect(hasPlainFormats({ source: '/s', time: '2028-02-29T10:00:00.123456Z' })).toBe(true)
})

test('a handler gets JSON as a value, and other data as the bytes that arrived', () => {
  const eventOf = (type: string, body: string) =>
    toCloudEvent(readEvent({ ...required, 'content-type': type }, Buffer.from(body)))
  expect(eventOf('application/json; charset=utf-8', '{"a":1}')).toMatchObject({ id: '1', data: { a: 1 } })
  expect(eventOf('application/json', '{a')).toMatchObject({ data_base64: 'e2E=' })
  expect(eventOf('text/plain', 'a')).toMatchObject({ datacontenttype: 'text/plain', data_base64: 'YQ==' })
  const { datacontenttype, ...none } = toCloudEvent(readEvent(required, Buffer.alloc(0)))
  expect([datacontenttype, 'data' in none, 'data_base64' in none]).toEqual(['application/json', false, false])
})
