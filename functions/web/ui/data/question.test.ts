import { isNamedBy, questionOf, transactionWords } from './question.ts'

const ID = '01996d2e-7b1c-7c4e-9f0a-3d5b8c2a1e4f'

test.each([
  ['an id', ` ${ID.toUpperCase()} `, { id: ID }],
  ['an account number as pages write it', '4102\u00a09384 1234', { account_number: '410293841234' }],
  ['a number that is none of an account', '0102938412', { query: '0102938412' }],
  ['words', ' rent nov ', { query: 'rent nov' }],
  ['part of an id', ID.slice(0, 13), { query: ID.slice(0, 13) }],
  ['signs alone', '-- %', undefined],
  ['nothing', '  ', undefined],
])('%s is asked for as what it is', (_what, text, question) => {
  expect(questionOf(text)).toEqual(question)
})

test('a text that is longer than the bank takes is cut', () => {
  expect(questionOf('a'.repeat(300))).toEqual({ query: 'a'.repeat(254) })
})

test('the search for transactions gets no more than it takes', () => {
  expect(transactionWords('rent\tNovember')).toBe('rent November')
  expect(transactionWords(`${'a'.repeat(199)}😀`)).toBe(`${'a'.repeat(199)} `)
})

test.each([
  ['the beginning of a word', 'dead', ['Dead letters'], true],
  ['all words, in any order', 'let DE', ['Dead letters'], true],
  ['a word that is not there', 'dead end', ['Dead letters'], false],
  ['the middle of a word', 'ead', ['Dead letters'], false],
  ['words of several names', 'everyday check', ['Everyday', 'Checking account'], true],
  ['part of a function’s name', 'account', ['freeze-account'], true],
  ['a word that a menu may break', 'sammelzahlung', ['Sammel\u00adzahlungen'], true],
  ['signs alone', '-', ['freeze-account'], false],
])('%s', (_what, text, names, is) => {
  expect(isNamedBy(text, names)).toBe(is)
})
