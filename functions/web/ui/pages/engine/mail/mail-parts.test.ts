import { partsOf } from './mail-parts.ts'

const HERE = 'http://127.0.0.1:8080'

test('a link to a page of the bank has its path, and all else stays text', () => {
  expect(partsOf('Open\nhttp://localhost:8080/new-password#token=A_1 now', HERE)).toEqual([
    { part: 'Open\n' },
    { part: 'http://localhost:8080/new-password#token=A_1', path: '/new-password#token=A_1' },
    { part: ' now' },
  ])
})

test.each([
  'http://localhost:9090/x',
  'https://localhost:8080/x',
  'http://evil.example/x',
  'http://localhost:8080@evil.example/x',
  'http://localhost:8080//evil.example',
  'javascript:alert(1)',
  'http://[',
])('%s is no link', (text) => {
  expect(partsOf(text, HERE).filter(({ path }) => path !== undefined)).toEqual([])
})
