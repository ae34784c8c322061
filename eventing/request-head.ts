import type { OutgoingHttpHeaders } from 'node:http'
import { VALUE } from './answer-reader.ts'

const TARGET = /^[\x21-\x7e\x80-\xff]+$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Returns the head of a request (RFC 9112), without the headers that frame its body and without the empty
 * line that ends it; undefined if a part of it can't be sent, such as a path with a control character. */
export function requestHead(method: string, path: string, headers: OutgoingHttpHeaders): string | undefined {
  if (!NAME.test(method) || !TARGET.test(path)) return undefined
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    for (const each of Array.isArray(value) ? value : [String(value)]) {
      if (!NAME.test(name) || !VALUE.test(each)) return undefined
      head += `${name}: ${each}\r\n`
    }
  }
  return head
}
