import { invalidCursor, page, pageOf } from '../database/paging.ts'

/** Returns the schema of a page of seals. `time` names the field that says when. */
export const sealsPage = <const Time extends string>(time: Time) =>
  pageOf({
    title: time === 'sealed_at' ? 'Seal' : 'WitnessedSeal',
    type: 'object',
    additionalProperties: false,
    required: ['seal', 'size', 'root', 'checkpoint', time],
    properties: {
      seal: { type: 'integer', description: 'Number of the seal.' },
      size: { type: 'integer', description: 'Leaves of the tree.' },
      root: { type: 'string', description: 'Root of the tree, in hex.' },
      checkpoint: { type: 'string', description: 'The signed note: c2sp.org/tlog-checkpoint.' },
      [time]: { type: 'string', format: 'date-time' },
    },
  } as const)

/** A seal as a context has stored it. */
export type StoredSeal = { n: bigint; size: bigint; root: Buffer; note: string; at: Date }

/** Makes a page of seals, newest first, which were read with one more than `limit`, in the order of `by`. */
export const toSealsPage = (
  rows: readonly StoredSeal[],
  limit: number,
  time: string,
  by: 'n' | 'size' = 'n',
) =>
  page(
    rows.map((row) => ({ ...row, id: String(row[by]) })),
    limit,
    ({ n, size, root, note, at }) => ({
      seal: Number(n),
      size: Number(size),
      root: root.toString('hex'),
      checkpoint: note,
      [time]: at.toISOString(),
    }),
  )

/** Returns the number, or the size, that all seals of the page are below. Throws a ProblemError (400) for
 * a cursor that is not ours. */
export function readSealsCursor(cursor: string | undefined): string {
  if (cursor === undefined) return String(Number.MAX_SAFE_INTEGER)
  const n = Buffer.from(cursor, 'base64url').toString()
  if (/^[1-9][0-9]{0,14}$/.test(n)) return n
  throw invalidCursor()
}
