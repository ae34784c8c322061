/** One entry on paper: lines of text, and their height in points. */
export interface PdfRow {
  booked: string
  value: string
  title: string
  details: string[]
  amount: string
  balance: string
  height: number
}

export interface PdfPage {
  rows: PdfRow[]
}

/** Distributes rows to pages, in their order. At least one page, even without rows.
 * @param space points for rows on the first page and on each other one, and what the last page has in
 * addition */
export function layOut(
  rows: readonly PdfRow[],
  space: { first: number; other: number; last: number },
): PdfPage[] {
  const pages: PdfPage[] = [{ rows: [] }]
  let left = space.first
  for (const row of rows) {
    if (row.height > left) {
      pages.push({ rows: [] })
      left = space.other
    }
    pages.at(-1)!.rows.push(row)
    left -= row.height
  }
  if (left < space.last) pages.push({ rows: [] })
  return pages
}
