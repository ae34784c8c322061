import type { Bank } from './bank.ts'
import { read } from './repository.ts'

interface Get {
  responses: Record<string, { content?: object }>
}

/** What every GET of the contract answers to somebody who has the answer already. */
export interface TaggedAnswers {
  /** Paths whose answers have a tag though the contract doesn't say so, or the other way round. */
  wrong: string[]
  /** Paths that gave nobody a 200. */
  unread: string[]
}

/** Asks every GET of the contract twice, but those of streams, which never end. `readers` are tokens: the
 * first that is not refused counts. `addresses` names what a path needs if the list above it does not: it has
 * whole addresses by path. */
export async function readTagged(
  bank: Bank,
  readers: readonly string[],
  addresses: Readonly<Record<string, string>>,
): Promise<TaggedAnswers> {
  const { paths } = JSON.parse(read('functions/web/openapi.json')) as {
    paths: Record<string, { get?: Get }>
  }
  const found: TaggedAnswers = { wrong: [], unread: [] }
  for (const [path, { get }] of Object.entries(paths)) {
    if (!get || 'text/event-stream' in (get.responses[200]?.content ?? {})) continue
    const address = addresses[path] ?? (await firstOf(bank, readers, path))
    const asked = address === undefined ? undefined : await readAs(bank, readers, address)
    if (!asked) {
      found.unread.push(path)
      continue
    }
    const again = await bank.call('GET', address!, {
      token: asked.token,
      headers: { 'if-none-match': asked.etag ?? '*' },
    })
    // What changes between two looks has another tag.
    const isTagged = again.status === 304 || (asked.etag ?? again.headers.get('etag')) !== null
    if (isTagged !== '304' in get.responses) found.wrong.push(path)
  }
  return found
}

/** Reads an address as the first reader who may. Undefined if nobody may, or nothing is there. */
async function readAs({ call }: Bank, readers: readonly string[], address: string) {
  for (const token of readers) {
    const { status, headers, body } = await call('GET', address, { token })
    if (status === 200) return { token, etag: headers.get('etag'), body: body as unknown }
  }
  return undefined
}

/** Fills the parameter of a path with the first thing in the list above it. Undefined if that is empty. */
async function firstOf(bank: Bank, readers: readonly string[], path: string): Promise<string | undefined> {
  const [, list, parameter, rest] = /^(.*)\/\{(\w+)\}(.*)$/.exec(path) ?? []
  if (list === undefined) return path
  const { items = [] } = ((await readAs(bank, readers, list))?.body ?? {}) as {
    items?: Record<string, string>[]
  }
  const value = items[0]?.[parameter!] ?? items[0]?.id
  return value && `${list}/${value}${rest}`
}
