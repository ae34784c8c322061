import type { AboutChange } from './audit/about.ts'

/** An answer. `about` says what it was about, for the audit; it is not sent. */
export interface Reply extends AboutChange {
  status: number
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, in place of `body`; the headers say what it is. */
  text?: string | undefined
  /** A body that is made while it is sent, instead of `body`. Only for routes that declare `streams`. */
  stream?: ReplyStream
  headers?: Record<string, string>
}

export interface ReplyStream {
  /** The content type. */
  mediaType: string
  /** The parts of the body. They are asked for only as fast as the client takes them. What is thrown before
   * the first becomes a problem; after it, the connection breaks, so nobody takes a part for the whole. If
   * the client goes away, the iterator's return() is called. */
  parts: AsyncIterable<string | Buffer>
  /** True for Server-Sent Events: each part leaves at once, and return() is called as soon as the client
   * leaves or the process has to stop, even while next() waits. The answer then ends as if it were
   * complete. */
  isEvents?: boolean
}
