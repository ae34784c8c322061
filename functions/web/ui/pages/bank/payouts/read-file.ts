/** More than the bank takes of a payout. */
const FILE_BYTES_MAX = 1_000_000

/** Reads a file as text: UTF-8, UTF-16 if it says so, or else what Windows writes in western Europe. Resolves
 * with undefined for one that is too big or can't be read. */
export async function readTextFile(file: File): Promise<string | undefined> {
  if (file.size > FILE_BYTES_MAX) return undefined
  try {
    const bytes = new Uint8Array(await file.arrayBuffer())
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      return new TextDecoder('windows-1252').decode(bytes)
    }
  } catch {
    return undefined
  }
}
