/** Returns how much a client wants an answer in a coding, from 0 (not at all) to 1, by its Accept-Encoding
 * (RFC 9110, section 12.5.3). Who says nothing wants none. */
export function weightOf(header: string | undefined, coding: 'br' | 'gzip'): number {
  let others = 0
  for (const part of (header ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((each) => each.trim())
    const said = parameters.map((each) => /^q\s*=\s*(.*)$/.exec(each)?.[1]).find(Boolean)
    const weight = said === undefined ? 1 : Number(said) || 0
    if (name === coding || name === `x-${coding}`) return weight
    if (name === '*') others = weight
  }
  return others
}
