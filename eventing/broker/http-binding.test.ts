import fc from 'fast-check'
import { ATTRIBUTES_BYTES_MAX } from './event.ts'
import { binaryHeaders, eventFromHttp, memberText } from './http-binding.ts'

const required = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
const structuredEvent = (more: string) =>
  eventFromHttp(structured, Buffer.from(`{"specversion":"1.0","id":"1","source":"/s","type":"t"${more}}`))

test('an event survives HTTP headers, whatever its attributes say', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(text, (subject) => {
      fc.pre(!/\p{Cc}/u.test(subject))
      const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't', subject }
      const headers = binaryHeaders({ attributes, data: Buffer.alloc(0) })
      const { 'content-length': _, ...sent } = headers
      for (const value of Object.values(sent)) expect(String(value)).toMatch(/^[\x21-\x7e]+$/)
      expect(eventFromHttp(sent as Record<string, string>, Buffer.alloc(0)).attributes).toEqual(attributes)
    }),
  )
})

test('headers that are not percent-encoded by the rules mean what they say', () => {
  const subjectOf = (value: string) => eventFromHttp({ ...required, 'ce-subject': value }, Buffer.alloc(0))
  expect(subjectOf('100%').attributes.subject).toBe('100%')
  expect(subjectOf('a b').attributes.subject).toBe('a b')
  expect(subjectOf(Buffer.from('ü').toString('latin1')).attributes.subject).toBe('ü')
})

test('a member of a JSON object is found as it stands', () => {
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
  ['a time that is none', ',"time":"yesterday"'],
  ['a relative dataschema', ',"dataschema":"a/b"'],
  ['too much in attributes', `,"extra":"${'a'.repeat(ATTRIBUTES_BYTES_MAX)}"`],
])('%s is refused', (_, more) => {
  expect(() => structuredEvent(more)).toThrow()
})

test('a body that is not UTF-8 is refused', () => {
  const body = Buffer.from('{"specversion":"1.0","id":"\xff","source":"/s","type":"t"}', 'latin1')
  expect(() => eventFromHttp(structured, body)).toThrow('not JSON')
})

test('a batch is refused', () => {
  const batch = { 'content-type': 'application/cloudevents-batch+json' }
  expect(() => eventFromHttp(batch, Buffer.from('[]'))).toThrow('expected a CloudEvent')
})

test('a trace context that is none is left out', () => {
  const event = eventFromHttp({ ...required, traceparent: 'rubbish' }, Buffer.alloc(0))
  expect(event.attributes).not.toHaveProperty('traceparent')
})
