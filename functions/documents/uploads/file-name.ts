import type { UploadType } from '../document.ts'

const LENGTH_MAX = 100
/** Extensions of each type; the first is given to a name that has none of them. */
const EXTENSIONS: Readonly<Record<UploadType, readonly string[]>> = {
  'image/png': ['png'],
  'image/jpeg': ['jpg', 'jpeg'],
  'image/webp': ['webp'],
  'application/pdf': ['pdf'],
}

/** Returns a name under which the file can be saved anywhere: without a path, without characters that are not
 * seen or that change how a name reads, and with the extension of its type, so that no system runs it. */
export function safeName(name: string | undefined, mediaType: UploadType): string {
  const [usual, ...others] = EXTENSIONS[mediaType]
  const base = (name ?? '')
    .normalize('NFC')
    .replace(/^.*[/\\]/s, '')
    // Control characters, those that only steer how text is shown (bidirectional ones too), half pairs,
    // unassigned ones.
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, '')
    .replace(/[<>:"|?*%]/g, '_')
    .replace(/\s+/gu, ' ')
  const { stem, extension } = split(base)
  const kept = [usual, ...others].includes(extension.toLowerCase())
  // Windows ignores dots and blanks at the end of a name.
  const clean = [...(kept ? stem : base)]
    .slice(0, LENGTH_MAX)
    .join('')
    .replace(/^[. ]+|[. ]+$/g, '')
  return `${clean || 'document'}.${kept ? extension.toLowerCase() : usual}`
}

function split(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.')
  return dot === -1
    ? { stem: name, extension: '' }
    : { stem: name.slice(0, dot), extension: name.slice(dot + 1) }
}
