import { pathAfter } from './path-after.ts'

const after = (next: string) => pathAfter(`?${new URLSearchParams({ next })}`)

test('whoever signs in goes on to a page of the bank', () => {
  for (const path of ['/', '/move?kind=pay&from=1', '/customers?query=//Ada']) expect(after(path)).toBe(path)
})

test('they never go on to another site, however its address is written', () => {
  const home = 'https://bank.example'
  for (const next of [
    ...['//evil.example', '/\\evil.example', '/\t/evil.example', '/\n/evil.example', '/\r\\evil.example'],
    ...['https://evil.example', 'javascript:alert(1)', ' //evil.example', ''],
  ])
    expect([next, after(next)]).toEqual([next, undefined])
  expect(new URL('/\t/evil.example', home).host).toBe('evil.example')
  expect(pathAfter('')).toBeUndefined()
})
