import sharp from 'sharp'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { UploadType } from '../document.ts'

/** A photo of a good camera has 24 million pixels. Each takes four bytes while the image is made. */
const PIXELS_MAX = 40_000_000
const SIDE_MAX = 16_383
const THUMBNAIL_PIXELS = 320
/** Seconds for an image and its thumbnail together: less than the function's `timeoutSeconds`, because an
 * event that is cut off comes again and again. */
const SECONDS_MAX = 20
/** Bytes; more than this, a made image would not be stored. */
const IMAGE_BYTES_MAX = 32 * 1024 * 1024

/** Given a quality, PNG would lose colours. */
const OPTIONS = { png: {}, jpeg: { quality: 88 }, webp: { quality: 88 } }

export interface MadeImage {
  /** The image in the format that it had. */
  image: Buffer
  /** A WebP image, at most 320 pixels wide and high. */
  thumbnail: Buffer
  /** In pixels, after it was turned as its metadata said. */
  width: number
  height: number
}

/** `reason` is a sentence for the customer. */
export type ImageOutcome = ({ kind: 'made' } & MadeImage) | { kind: 'refused'; reason: string }

// One image at a time, and nothing kept of it.
sharp.cache(false)
sharp.concurrency(1)

/** Makes an image anew from its pixels, in the same format and upright. Nothing else remains of it: no
 * metadata, no colour profile (the colours are converted to sRGB), no bytes behind it. Of an animation, the
 * first picture remains. Refuses what is damaged, cut off, of another type or too large; the size is known
 * before anything is unpacked. Throws an UnavailableError if it takes too long. */
export async function makeAnew(upload: Buffer, mediaType: UploadType): Promise<ImageOutcome> {
  const format = mediaType.replace('image/', '') as keyof typeof OPTIONS
  const endsAt = performance.now() + SECONDS_MAX * 1000
  const left = () => ({ seconds: Math.max(1, Math.round((endsAt - performance.now()) / 1000)) })
  const open = () =>
    sharp(upload, { failOn: 'error', limitInputPixels: PIXELS_MAX, sequentialRead: true, pages: 1 })
  try {
    const found = await open().metadata()
    if (found.format !== format) return refused(`It is no image of the type ${format}.`)
    if (found.width * found.height > PIXELS_MAX || Math.max(found.width, found.height) > SIDE_MAX)
      return refused(
        `It has more than ${PIXELS_MAX / 1_000_000} million pixels, or a side above ${SIDE_MAX}.`,
      )
    const made = await open()
      .autoOrient()
      .toFormat(format, OPTIONS[format])
      .timeout(left())
      .toBuffer({ resolveWithObject: true })
    if (made.data.length > IMAGE_BYTES_MAX) return refused('It would be too large to keep.')
    const thumbnail = await open()
      .autoOrient()
      .resize(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80 })
      .timeout(left())
      .toBuffer()
    const { width, height } = made.info
    return { kind: 'made', image: made.data, thumbnail, width, height }
  } catch (error) {
    return refusalOf(error as Error)
  }
}

/** Returns the refusal that an error of the library means. Throws an UnavailableError if the time is over:
 * that says something of this machine, not of the image, so the Broker has it tried again. */
export function refusalOf({ message }: Error): ImageOutcome {
  if (/^timeout/i.test(message))
    throw new UnavailableError(`the image could not be made anew within ${SECONDS_MAX} seconds`)
  if (/pixel limit/i.test(message))
    return refused(`It has more than ${PIXELS_MAX / 1_000_000} million pixels.`)
  return refused('The image is damaged or not complete.')
}

const refused = (reason: string): ImageOutcome => ({ kind: 'refused', reason })
