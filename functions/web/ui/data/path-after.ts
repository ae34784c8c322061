/** Returns where whoever signs in wanted to go, by the address of the form: a path of the bank, never another
 * site; undefined if it does not say. Of a URL, browsers leave out tabs and line breaks wherever they are. */
export function pathAfter(search: string): string | undefined {
  const next = new URLSearchParams(search).get('next') ?? ''
  return /^\/(?![/\\])[^\t\r\n]*$/.test(next) ? next : undefined
}
