import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { guardText, unguardText } from '../../host/values/csv-text.ts'
import { bytesOf, CHECKPOINT, OTHER_ID, sample } from '../testing/sample-fixture.ts'
import { csvColumns, writeCsv } from './csv.ts'

type Cells = Record<(typeof csvColumns)[number], string>

const read = async (made: ReturnType<typeof sample>): Promise<Cells[]> =>
  parse(await bytesOf(writeCsv, made), { columns: true, relax_column_count: false })

test('all records have the same columns: opening, entries, sums, closing', async () => {
  const made = sample(
    [
      { amount: 123_45n, description: 'Salary, May' },
      { amount: -45n, type: 'transfer', counterpartyAccountId: OTHER_ID, isFee: true },
    ],
    { opening: -100n },
  )
  const text = (await bytesOf(writeCsv, made)).toString()
  expect(text.split('\r\n')).toEqual([
    csvColumns.join(','),
    'opening,0,,,,USD,-1.00,,,,,,',
    `entry,1,2026-01-01T12:00:00.000Z,2026-01-01,123.45,USD,122.45,${OTHER_ID},deposit,"Salary, May",,false,`,
    `entry,2,2026-01-01T12:00:01.000Z,2026-01-01,-0.45,USD,122.00,${OTHER_ID},transfer,,${OTHER_ID},true,`,
    'credits,,,,123.45,USD,,,,,,,1',
    'debits,,,,-0.45,USD,,,,,,,1',
    'closing,2,,,,USD,122.00,,,,,,',
    '',
  ])
  expect(await read(made)).toHaveLength(6)
})

test('an empty statement has no sums below zero', async () => {
  const [opening, credits, debits, closing] = await read(sample([]))
  expect([opening!.balance, credits!.amount, debits!.amount, closing!.balance]).toEqual(Array(4).fill('0.00'))
})

test('a statement that is sealed has its checkpoint before the last record', async () => {
  const records = await read(sample([{}], { seal: { n: 7n, note: CHECKPOINT } }))
  const { record, version, description, ...others } = records.at(-2)!
  expect([record, version, unguardText(description)]).toEqual(['checkpoint', '7', CHECKPOINT])
  expect(new Set(Object.values(others))).toEqual(new Set(['']))
  expect(description).toContain("\n'+SNx")
  expect(records.at(-1)!.record).toBe('closing')
})

/** Texts of what is hard to write: separators, quotes, formulas, other scripts. */
const nasty = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 50 }),
  fc
    .array(
      fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', "'", ',', ';', ' ', 'a', '＝', 'é', '\\'),
      {
        maxLength: 12,
      },
    )
    .map((characters) => characters.join('')),
)

test('a parser reads every text back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(nasty, { minLength: 1, maxLength: 5 }), async (texts) => {
      const cells = await read(sample(texts.map((description) => ({ description }))))
      const entries = cells.filter(({ record }) => record === 'entry')
      expect(entries.map(({ description }) => unguardText(description))).toEqual(texts)
    }),
    { numRuns: 300 },
  )
})

test('no cell begins a formula, whether fields are split at commas, semicolons or tabs; amounts stay numbers', async () => {
  const DANGEROUS = /^["' ]*[=+\-@＝＋－＠]|^[\t\r\n]/
  await fc.assert(
    fc.asyncProperty(nasty, async (description) => {
      const made = sample([{ amount: -5n, description }])
      const [, entry] = await read(made)
      const { amount, balance, ...others } = entry!
      expect([Number(amount), Number(balance)]).toEqual([-0.05, -0.05])
      for (const cell of Object.values(others)) if (!cell.startsWith("'")) expect(cell).not.toMatch(DANGEROUS)
      for (const cell of guardText(description)
        .split(/[;\t\r\n]/)
        .slice(1))
        if (!cell.startsWith("'")) expect(cell).not.toMatch(DANGEROUS)
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['=1+1', "'=1+1"],
  ['+49 30 1234', "'+49 30 1234"],
  ['-5', "'-5"],
  ['@SUM(A1)', "'@SUM(A1)"],
  [' =1', "' =1"],
  ['\t=1', "'\t'=1"],
  ['\r1', "'\r1"],
  ["'=1", "''=1"],
  ['a;=1', "a;'=1"],
  ['＝1', "'＝1"],
  ['a - b = c', 'a - b = c'],
  ['1,-2', '1,-2'],
  ['', ''],
])('%j is written as %j', (text, guarded) => {
  expect(guardText(text)).toBe(guarded)
  expect(unguardText(guarded)).toBe(text)
})
