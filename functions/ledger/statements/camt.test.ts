/* oxlint-disable no-control-regex */
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { ACCOUNT_ID, bytesOf, CHECKPOINT, OTHER_ID, sample } from '../testing/sample-fixture.ts'
import { writeCamt } from './camt.ts'

/** The schema belongs to ISO 20022 and is not a part of this repository. CAMT_SCHEMA names its file, if
 * there is one; without it only the structure is checked. */
const SCHEMA = process.env.CAMT_SCHEMA
const canValidate = SCHEMA !== undefined && spawnSync('xmllint', ['--version']).status === 0

/** Validates with xmllint, where it and the schema are; returns the text. */
async function written(made: ReturnType<typeof sample>): Promise<string> {
  const bytes = await bytesOf(writeCamt, made)
  if (canValidate) {
    const { status, stderr } = spawnSync('xmllint', ['--noout', '--schema', SCHEMA, '-'], { input: bytes })
    expect([status, String(stderr).trim()]).toEqual([0, '- validates'])
  }
  return bytes.toString()
}

/** Returns the contents of all elements of this name. */
const all = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`<${name}(?: [^>]*)?>(.*?)</${name}>`, 'gs'))].map((match) => match[1]!)

test('a statement has its account, balances, sums and entries', async () => {
  const made = sample(
    [
      { amount: 900_00n, description: 'Salary' },
      { amount: -50_25n, type: 'transfer', counterpartyAccountId: OTHER_ID, valueDate: '2025-12-31' },
      { amount: -1_00n, type: 'transfer', counterpartyAccountId: OTHER_ID, isFee: true },
      { amount: 50_25n, type: 'reversal', counterpartyAccountId: OTHER_ID },
      { amount: -5n, type: 'withdrawal' },
    ],
    { opening: -10_00n },
  )
  const text = await written(made)
  expect(all(text, 'Acct')[0]).toContain(`<Id>${ACCOUNT_ID.replaceAll('-', '')}</Id>`)
  expect(all(text, 'CreDtTm')).toEqual(['2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.000Z'])
  expect(all(text, 'FrToDt')).toEqual([
    '<FrDtTm>2026-01-01T00:00:00.000Z</FrDtTm><ToDtTm>2026-01-31T23:59:59.999Z</ToDtTm>',
  ])
  expect(all(text, 'Bal')).toEqual([
    expect.stringMatching(/OPBD.*<Amt Ccy="USD">10\.00<\/Amt><CdtDbtInd>DBIT.*2026-01-01/),
    expect.stringMatching(/CLBD.*<Amt Ccy="USD">888\.95<\/Amt><CdtDbtInd>CRDT.*2026-01-31/),
  ])
  expect(all(text, 'TtlCdtNtries')).toEqual(['<NbOfNtries>2</NbOfNtries><Sum>950.25</Sum>'])
  expect(all(text, 'TtlDbtNtries')).toEqual(['<NbOfNtries>3</NbOfNtries><Sum>51.30</Sum>'])
  const entries = all(text, 'Ntry')
  expect(entries.map((entry) => all(entry, 'NtryRef')[0])).toEqual(['1', '2', '3', '4', '5'])
  expect(entries.map((entry) => all(entry, 'CdtDbtInd')[0])).toEqual(['CRDT', 'DBIT', 'DBIT', 'CRDT', 'DBIT'])
  expect(
    entries.map((entry) => [all(entry, 'Fmly')[0]!.replace(/<.*?>/g, ''), all(entry, 'RvslInd')[0]]),
  ).toEqual([
    ['CNTRCDPT', undefined],
    ['ICDTBOOK', undefined],
    ['MDOPCHRG', undefined],
    // It takes back what was issued.
    ['ICDTBOOK', 'true'],
    ['CNTRCWDL', undefined],
  ])
  expect(all(entries[0]!, 'Ustrd')).toEqual(['Salary'])
  expect(entries[1]).toContain(
    `<CdtrAcct><Id><Othr><Id>${OTHER_ID.replaceAll('-', '')}</Id></Othr></Id></CdtrAcct>`,
  )
  expect(entries[3]).toContain('<DbtrAcct>')
  expect(all(entries[1]!, 'ValDt')).toEqual(['<Dt>2025-12-31</Dt>'])
  for (const entry of entries) expect(entry).toContain('<Sts><Cd>BOOK</Cd></Sts>')
})

test.each([
  ['JPY', '12345'],
  ['KWD', '12.345'],
  ['CLF', '1.2345'],
])('amounts in %s have its decimals', async (currency, amount) => {
  expect(await written(sample([{ amount: 12_345n }], { currency }))).toContain(
    `<Amt Ccy="${currency}">${amount}</Amt>`,
  )
})

test('a statement without entries, without a period, or by value date is valid too', async () => {
  const text = await written(sample([], { from: null, to: null }))
  expect(text).not.toContain('FrToDt')
  expect(all(text, 'Ntry')).toEqual([])
  const byValue = { basis: 'value', fromVersion: null, toVersion: null, knownVersion: 7n } as const
  expect(await written(sample([{}], byValue))).toMatch(/OPAV.*CLAV/s)
  // So much that the schema has no room for its sum.
  const huge = { count: 1, sum: 10n ** 18n }
  expect(all(await written(sample([], { credits: huge })), 'Sum')).toEqual(['0.00'])
})

test('a statement that is sealed has its checkpoint after the entries, if there is room for it', async () => {
  const seal = { n: 7n, note: CHECKPOINT }
  const text = await written(sample([{}], { seal }))
  expect(all(text, 'AddtlStmtInf')).toEqual([CHECKPOINT])
  const keys = CHECKPOINT + CHECKPOINT.slice(CHECKPOINT.indexOf('—')).repeat(3)
  expect(await written(sample([{}], { seal: { n: 7n, note: keys } }))).not.toContain('AddtlStmtInf')
  expect(await written(sample([{}]))).not.toContain('AddtlStmtInf')
})

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.stringMatching(/^[<>&"'\]\x00-\x1f\ufffe\u{1f600}]{0,300}$/u),
)

test('no text breaks the message, or is longer than it has room for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { minLength: 20, maxLength: 20 }), async (descriptions) => {
      const text = await written(sample(descriptions.map((description) => ({ description }))))
      expect(text).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/)
      for (const line of all(text, 'Ustrd')) {
        expect([...line.replace(/&\w+;/g, '&')].length).toBeLessThanOrEqual(140)
        expect(line).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|apos);)/)
      }
    }),
    { numRuns: 20 },
  )
})

test('a text is kept whole, in lines', async () => {
  const description = 'é'.repeat(300) + '😀'
  const lines = all(await written(sample([{ description }])), 'Ustrd')
  expect([lines.length, lines.join('')]).toEqual([3, description])
})

test('the same question has the same message id, another question another', async () => {
  const idOf = async (made: ReturnType<typeof sample>): Promise<string> =>
    all(await written(made), 'MsgId')[0]!
  const ids = [await idOf(sample([{}])), await idOf(sample([{}])), await idOf(sample([{}, {}]))]
  expect(ids[0]).toMatch(/^[0-9a-f]{32}$/)
  expect([ids[1] === ids[0], ids[2] === ids[0]]).toEqual([true, false])
})
