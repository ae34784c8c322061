import type { UploadType } from '../document.ts'

/** Bytes at the beginning and at the end of a file that tell its type. */
export const EDGE_BYTES = 1024

const text = (bytes: Buffer, from: number, to: number): string => bytes.toString('latin1', from, to)

/** Returns the type of a file by its content; undefined if it is none that the bank takes. The signature must
 * be the first of the file, although readers of PDFs also take one that comes later: what stands before it
 * could be a program. What follows an image is lost when the image is made anew.
 *
 * Sources: PNG (W3C, section 5.2), JPEG (ITU T.81, annex B), WebP (RFC 9649), PDF (ISO 32000-2, 7.5). */
export function typeOf(head: Buffer, tail: Buffer): UploadType | undefined {
  if (text(head, 0, 8) === '\x89PNG\r\n\x1a\n' && text(head, 12, 16) === 'IHDR') return 'image/png'
  if (text(head, 0, 3) === '\xff\xd8\xff') return 'image/jpeg'
  if (text(head, 0, 4) === 'RIFF' && text(head, 8, 12) === 'WEBP') return 'image/webp'
  if (/^%PDF-[12]\.\d/.test(text(head, 0, 8)) && text(tail, 0, tail.length).includes('%%EOF'))
    return 'application/pdf'
  return undefined
}
