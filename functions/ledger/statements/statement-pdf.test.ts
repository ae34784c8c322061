import { spawnSync } from 'node:child_process'
import { bytesOf, CHECKPOINT, OTHER_ID, sample } from '../testing/sample-fixture.ts'
import type { StatementPages } from './account-statement.ts'
import { layOut, type PdfRow } from './pdf-layout.ts'
import { writePdf } from './statement-pdf.ts'

/** Returns the text of each page; undefined where poppler is not installed. */
function pagesOf(pdf: Buffer): string[] | undefined {
  const { status, stdout } = spawnSync('pdftotext', ['-layout', '-', '-'], { input: pdf, maxBuffer: 1e8 })
  return status === 0 ? stdout.toString().split('\f').slice(0, -1) : undefined
}

/** Counts the pages by the tree of pages in the file. */
const countOf = (pdf: Buffer): number =>
  Number(/\/Type \/Pages\s+\/Count (\d+)/.exec(pdf.toString('latin1'))![1])

const many = (count: number, description = 'Rent'): Parameters<typeof sample>[0] =>
  Array.from({ length: count }, (_, n) => ({
    amount: n % 2 ? -12_34n : 20_00n,
    type: 'transfer',
    counterpartyAccountId: OTHER_ID,
    description: `${description} ${n + 1}`,
  }))

test('a statement says everything on one page', async () => {
  const made = sample(
    [
      { amount: 900_00n, description: 'Miete für Ζωή и Жанна' },
      { amount: -5_00n, type: 'transfer', counterpartyAccountId: OTHER_ID },
      { amount: -50n, type: 'transfer', counterpartyAccountId: OTHER_ID, isFee: true },
    ],
    { opening: 1_00n },
  )
  const pdf = await bytesOf(writePdf, made)
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  expect(pdf.toString('latin1').trimEnd()).toMatch(/%%EOF$/)
  expect(countOf(pdf)).toBe(1)
  const pages = pagesOf(pdf)
  if (!pages) return
  const [page] = pages
  for (const text of [
    /Account +01890a5d-ac96-774b-bcce-b302099a8057/,
    /from 2026-01-01 until before 2026-02-01/,
    /Opening balance +1\.00 USD/,
    /Credits \(1\) +900\.00 USD/,
    /Debits \(2\) +-5\.50 USD/,
    /Closing balance +895\.50/,
    /2026-01-01 12:00 +2026-01-01 +Deposit +900\.00 +901\.00\n.*Miete für Ζωή и Жанна/,
    /Transfer +-5\.00 +896\.00\n +to 01890a5d/,
    /Transfer: fee +-0\.50 +895\.50/,
    /Page 1 of 1/,
  ])
    expect(page).toMatch(text)
})

test('each page has the head of the table and says which of how many it is, and no entry is lost', async () => {
  const pdf = await bytesOf(writePdf, sample(many(200)))
  const count = countOf(pdf)
  expect(count).toBeGreaterThan(5)
  const pages = pagesOf(pdf)
  if (!pages) return
  expect(pages).toHaveLength(count)
  pages.forEach((page, index) => {
    expect(page).toMatch(/Booked +Value date +Transaction +Amount +Balance/)
    expect(page).toContain(`Page ${index + 1} of ${count}`)
  })
  const numbers = [...pages.join('').matchAll(/Rent (\d+)/g)].map((match) => Number(match[1]))
  expect(numbers).toEqual(Array.from({ length: 200 }, (_, n) => n + 1))
  expect(pages.at(-1)).toMatch(/Closing balance +766\.00/)
})

test('the last page has the checkpoint, each of its lines whole, or says that there is none yet', async () => {
  // One page has room for 18 entries, but then none for the rest.
  for (const entries of [1, 14, 15, 16, 17, 18, 19]) {
    const pages = pagesOf(
      await bytesOf(writePdf, sample(many(entries), { seal: { n: 7n, note: CHECKPOINT } })),
    )
    if (!pages) return
    const lines = pages
      .at(-1)!
      .split('\n')
      .map((line) => line.trim())
    const at = lines.indexOf('Sealed with seal 7, which has this checkpoint:')
    const shown = lines.slice(
      at + 1,
      lines.findIndex((line) => line.startsWith('Times are UTC')),
    )
    expect(shown.filter((line) => line !== '')).toEqual(CHECKPOINT.split('\n').filter((line) => line !== ''))
    expect(lines.findIndex((line) => line.startsWith('Closing balance'))).toBeLessThan(at)
  }
  expect(pagesOf(await bytesOf(writePdf, sample(many(1))))!.at(-1)).toMatch(/\n *Not sealed yet\.\n/)
})

test('a long text is broken into lines, and a long word too', async () => {
  const words = Array.from({ length: 80 }, (_, n) => `w${n}`).join(' ')
  const pages = pagesOf(await bytesOf(writePdf, sample([{ description: `${words} ${'x'.repeat(200)}` }])))
  if (!pages) return
  const text = pages.join('')
  expect([...text.matchAll(/\bw\d+/g)]).toHaveLength(80)
  expect(text.match(/x{10,}/g)!.join('')).toBe('x'.repeat(200))
})

test('the same statement has the same bytes, and its fonts inside', async () => {
  const [one, two] = [await bytesOf(writePdf, sample(many(3))), await bytesOf(writePdf, sample(many(3)))]
  expect(one.equals(two)).toBe(true)
  const text = one.toString('latin1')
  expect(
    [...text.matchAll(/\/FontName \/[A-Z]+\+(DejaVuSansCondensed(-Bold)?)/g)].map((match) => match[1]).sort(),
  ).toEqual(['DejaVuSansCondensed', 'DejaVuSansCondensed-Bold'])
  expect(text.match(/\/FontFile2/g)).toHaveLength(2)
  // Only the letters that it needs: the whole fonts would be 1.3 MB.
  expect(one.length).toBeLessThan(60_000)
})

test('one statement that fails stops no other', async () => {
  // oxlint-disable-next-line require-yield
  const away = async function* (): StatementPages {
    throw new Error('the database is away')
  }
  const failing = { ...sample([]), pages: away }
  const [failed, drawn] = await Promise.allSettled([
    bytesOf(writePdf, failing),
    bytesOf(writePdf, sample(many(1))),
  ])
  expect([failed.status, drawn.status]).toEqual(['rejected', 'fulfilled'])
})

describe('rows are laid out on pages', () => {
  const row = (height: number) => ({ height }) as PdfRow
  const space = { first: 100, other: 200, last: 30 }
  const heights = (...given: number[]) =>
    layOut(given.map(row), space).map(({ rows }) => rows.map(({ height }) => height))

  test('in their order, as many as fit', () => {
    expect(heights()).toEqual([[]])
    expect(heights(50, 20)).toEqual([[50, 20]])
    expect(heights(50, 51, 149)).toEqual([[50], [51, 149], []])
    expect(heights(50, 60, 100)).toEqual([[50], [60, 100]])
  })
})
