/** A typed client of the bank, for Node and browsers. */

export { createClient, type ClientOptions } from './client.ts'
export { BankProblem, NoAnswerError, SignedOutError, type CallRecord, type FailureRecord } from './problem.ts'
export type { BankClient, CallName, CallSettings, FullAnswer } from './types.ts'
export type { Credentials, SessionOptions, Tokens } from './session.ts'
export type { StreamedEvent } from './stream.ts'
export type * from './api.ts'
