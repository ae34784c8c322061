import { createPathTable } from './path-table.ts'

const find = createPathTable([
  ['/transactions/{id}', 'one'],
  ['/transactions/batch', 'batch'],
  ['/accounts/{id}/balance', 'balance'],
  ['/accounts/{id}/{part}', 'part'],
  ['/.well-known/{name}', 'known'],
])

test.each([
  ['/transactions/batch', 'batch', {}],
  ['/transactions/batch/', 'batch', {}],
  ['/transactions/7', 'one', { id: '7' }],
  ['/transactions/a%2Fb/', 'one', { id: 'a/b' }],
  ['/accounts/7/balance', 'balance', { id: '7' }],
  ['/accounts/7/owner', 'part', { id: '7', part: 'owner' }],
  ['/.well-known/jwks', 'known', { name: 'jwks' }],
])('%s leads to %s', (path, target, params) => {
  expect(find(path)).toEqual({ target, params })
})

test.each([
  '/',
  '',
  '/transactions',
  '/transactions/',
  '/transactions//',
  '/transactions/%E0%A4%A',
  '/xwell-known/jwks',
])('%s leads nowhere', (path) => {
  expect(find(path)).toBeUndefined()
})
