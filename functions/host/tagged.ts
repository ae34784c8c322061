import { JSON_TYPE } from './answer-of.ts'

/** Says whether an answer of a function gets an ETag: if it is the JSON that a GET asked for. The front door
 * then answers 304 to whoever has it already, and the contract declares both. */
export const isTagged = (method: string | undefined, status: number, mediaType: unknown): boolean =>
  method === 'GET' && status === 200 && String(mediaType).startsWith(JSON_TYPE)
