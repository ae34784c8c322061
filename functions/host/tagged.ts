import { JSON_TYPE } from './answer-of.ts'

/** Says whether the front door tags an answer of a function, and answers 304 to whoever has it already: if it
 * is the JSON that a GET asked for. The front door tags by this, and the contract is written by it. */
export const isTagged = (method: string | undefined, status: number, mediaType: unknown): boolean =>
  method === 'GET' && status === 200 && String(mediaType).startsWith(JSON_TYPE)
