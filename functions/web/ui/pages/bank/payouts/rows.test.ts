import { readPayoutRows } from './rows.ts'

const rows = (text: string) =>
  readPayoutRows(text).map(({ line, payee, amount, note }) => [line, payee, amount, note])

test('rows are read with commas, semicolons and tabs, without headings and empty lines', () => {
  const expected = [
    [2, 'ada@example.com', '1.50', 'Wages, May'],
    [4, 'bob@example.com', '2', ''],
  ]
  expect(rows('payee,amount,note\nada@example.com,1.50,"Wages, May"\n\nbob@example.com,2\n')).toEqual(
    expected,
  )
  expect(rows('Email;Amount;Note\r\nada@example.com;1.50;Wages, May\r\n;;\r\nbob@example.com;2')).toEqual(
    expected,
  )
  expect(rows('\ufeffpayee\tamount\nada@example.com\t1.50\tWages, May\n\nbob@example.com\t2')).toEqual(
    expected,
  )
})

test('quotes keep separators, quotes and line breaks, and lines are counted on', () => {
  expect(rows('a@b.de,1,"say ""hi"",\nor not"\nc@d.de,2,x')).toEqual([
    [1, 'a@b.de', '1', 'say "hi",\nor not'],
    [3, 'c@d.de', '2', 'x'],
  ])
})

test('a row with too many cells says so', () => {
  expect(readPayoutRows('a@b.de,1,200.00,x').map(({ cells }) => cells)).toEqual([4])
  expect(readPayoutRows('')).toEqual([])
})

test('what ends the first cell separates all, whatever notes have in them', () => {
  expect(rows('a@b.de,1,wages; May\nc@d.de,2')).toEqual([
    [1, 'a@b.de', '1', 'wages; May'],
    [2, 'c@d.de', '2', ''],
  ])
  expect(rows('\ufeff"a@b.de";"1,50";"x; y"\rc@d.de;2')).toEqual([
    [1, 'a@b.de', '1,50', 'x; y'],
    [2, 'c@d.de', '2', ''],
  ])
})

test('a quote without an end swallows no row unseen, and nothing follows one', () => {
  const misquoted = (text: string) => readPayoutRows(text).map(({ isMisquoted }) => isMisquoted)
  expect(misquoted('a@b.de,1,"x\nc@d.de,2')).toEqual([true])
  expect(misquoted('a@b.de,"1"2\nc@d.de,"2" ,"x"')).toEqual([true, false])
})

test('ten thousand rows, and a million cells, are read at once', () => {
  expect(readPayoutRows('a@b.de,1\n'.repeat(10_001))).toHaveLength(10_001)
  expect(readPayoutRows(`a@b.de${','.repeat(1_000_000)}`)[0]!.cells).toBe(1_000_001)
})
