/** A piece of a text; a link to a page of the bank has its path. */
export interface MailPart {
  part: string
  path?: string
}

/** Splits the text of a mail, so that links to the bank's own pages can be followed. Links elsewhere stay
 * text. `origin` is the page's. An email names the bank `localhost`, whatever name the reader uses. */
export function partsOf(text: string, origin: string): MailPart[] {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, i) => {
    const path = i % 2 === 1 ? pathHere(part, origin) : undefined
    return path === undefined ? { part } : { part, path }
  })
}

function pathHere(link: string, origin: string): string | undefined {
  if (!URL.canParse(link)) return undefined
  const { protocol, hostname, port, pathname, search, hash } = new URL(link)
  const here = new URL(origin)
  const isHere =
    protocol === here.protocol && port === here.port && [here.hostname, 'localhost'].includes(hostname)
  // A path that begins with two slashes would name another host.
  return isHere && !pathname.startsWith('//') ? pathname + search + hash : undefined
}
