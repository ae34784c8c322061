import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { germanEventTypes } from './event-types.de.ts'

test('each type of event of the catalogue has its meaning in German, and no other', () => {
  const file = join(import.meta.dirname, '../../../../asyncapi.json')
  const { components } = JSON.parse(readFileSync(file, 'utf8')) as { components: { messages: object } }
  expect(Object.keys(germanEventTypes)).toEqual(Object.keys(components.messages))
})
