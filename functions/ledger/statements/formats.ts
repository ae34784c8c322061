import { ProblemError, problems } from '../../host/problems.ts'
import type { WriteStatement } from './account-statement.ts'
import { writeCamt } from './camt.ts'
import { writeCsv } from './csv.ts'
import { writeJson } from './json.ts'

export interface StatementFormat {
  /** What Accept may ask for; the first is what the answer says. */
  mediaTypes: readonly [string, ...string[]]
  /** Parameters of the answer's media type. */
  parameters: string
  /** How names of its files end; undefined if a browser shall show it. */
  extension: string | undefined
  /** The most entries; undefined if there is no limit. */
  entriesMax?: number
  write: WriteStatement
}

/** Entries of a PDF at most: some 40 pages. The library keeps every text that it has measured, until it is
 * done. */
const PDF_ENTRIES_MAX = 1_000

export const formats = {
  json: {
    mediaTypes: ['application/json'],
    parameters: '; charset=utf-8',
    extension: undefined,
    write: writeJson,
  },
  csv: {
    mediaTypes: ['text/csv'],
    parameters: '; charset=utf-8; header=present',
    extension: 'csv',
    write: writeCsv,
  },
  pdf: {
    mediaTypes: ['application/pdf'],
    parameters: '',
    extension: 'pdf',
    entriesMax: PDF_ENTRIES_MAX,
    // With the library and its fonts this is larger than all the rest.
    write: async function* (statement, pages) {
      const { writePdf } = await import('./statement-pdf.ts')
      yield* writePdf(statement, pages)
    },
  },
  'camt.053': {
    mediaTypes: ['application/xml', 'text/xml'],
    parameters: '; charset=utf-8',
    extension: 'xml',
    write: writeCamt,
  },
} as const satisfies Record<string, StatementFormat>

export type FormatName = keyof typeof formats
export const formatNames = Object.keys(formats) as FormatName[]

/** Chooses the format that the header Accept prefers (RFC 9110, section 12.5.1); JSON if it has no
 * preference. Throws a ProblemError (406) if it accepts none. */
export function formatFor(accept: string | undefined): FormatName {
  if (accept === undefined || accept.trim() === '') return 'json'
  const ranges = accept.split(',').map(readRange)
  const quality = (name: FormatName): number =>
    Math.max(...formats[name].mediaTypes.map((mediaType) => qualityOf(mediaType, ranges)))
  const best = formatNames.reduce((a, b) => (quality(b) > quality(a) ? b : a))
  if (quality(best) > 0) return best
  throw new ProblemError(
    problems.notAcceptable,
    `A statement is one of ${formatNames.map((name) => formats[name].mediaTypes[0]).join(', ')}.`,
  )
}

interface MediaRange {
  type: string
  q: number
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  return { type, q: q === undefined ? 1 : Number(q.slice(2)) || 0 }
}

/** The quality of the most specific range that a media type is in. */
function qualityOf(mediaType: string, ranges: readonly MediaRange[]): number {
  for (const type of [mediaType, mediaType.replace(/\/.*/, '/*'), '*/*']) {
    const range = ranges.find((candidate) => candidate.type === type)
    if (range) return range.q
  }
  return 0
}
