import type { Schema } from './schema.ts'

/** Headers of an answer that some routes give and others don't. */
export type AnswerHeader = 'Location' | 'Content-Disposition' | 'Microbank-Seal'

/** An answer that is not JSON alone, or has headers of its own. */
export interface DescribedAnswer {
  /** A schema for each media type; `undefined` for bytes. */
  content: Readonly<Record<string, Schema | undefined>>
  headers?: readonly AnswerHeader[]
}

/** What a route answers: the schema of a JSON body, or more. Undefined means an empty answer. */
export type Answer = Schema | DescribedAnswer | undefined

export const JSON_TYPE = 'application/json'
const text = { type: 'string' } as const

/** Describes JSON that comes with the address of what was made. */
export const located = (schema: Schema): DescribedAnswer => ({
  content: { [JSON_TYPE]: schema },
  headers: ['Location'],
})

/** Describes text of a media type. */
export const textOf = (mediaType: string): DescribedAnswer => ({ content: { [mediaType]: text } })

/** Server-Sent Events. OpenAPI 3.1 can't say what one of them is, only what all together are. */
export const events: DescribedAnswer = { content: { 'text/event-stream': undefined } }

/** Describes bytes of one of these media types, as a file to save or show. */
export const fileOf = (mediaTypes: readonly string[]): DescribedAnswer => ({
  content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, undefined])),
  headers: ['Content-Disposition'],
})

export const describe = (answer: Answer): DescribedAnswer => {
  if (answer === undefined) return { content: {} }
  return 'content' in answer ? answer : { content: { [JSON_TYPE]: answer } }
}
