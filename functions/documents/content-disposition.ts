import { create } from 'content-disposition'

/** Returns the header Content-Disposition (RFC 6266): the name also in ASCII, for old clients. */
export function contentDisposition(name: string, type: 'attachment' | 'inline', mediaType: string): string {
  const isThumbnail = mediaType === 'image/webp' && !name.endsWith('.webp')
  return create(isThumbnail ? name.replace(/\.[^.]*$/, '.webp') : name, { type })
}
