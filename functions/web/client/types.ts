import type { Api, Notification } from './api.ts'
import type { CallRecord } from './problem.ts'
import type { Credentials } from './session.ts'
import type { StreamedEvent } from './stream.ts'

/** Method and path as openapi.json has them: `POST /api/transactions`. */
export type CallName = keyof Api

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type PathOf<M extends Method, Name = CallName> = Name extends `${M} ${infer Path}` ? Path : never
type NameOf<M extends Method, Path extends string> = `${M} ${Path}` & CallName

/** What every call may be given. */
export interface CallSettings {
  /** Chosen by you if it has to outlive this process: store it before the call, and repeat the call with it.
   * Otherwise each call makes one, and keeps it for all its attempts. */
  idempotencyKey?: string
  /** Asks for 202 as soon as the request is stored (RFC 7240). Use it with request(). */
  prefer?: 'respond-async'
  signal?: AbortSignal
  timeoutMs?: number
  totalMs?: number
  /** How often it may be sent. 1 leaves it to the caller to ask again, with the same `idempotencyKey`. */
  attemptsMax?: number
  headers?: Record<string, string>
}

type TakenBy<Name extends CallName> = Api[Name]['takes'] & CallSettings
/** The options of a call. They may be left out if none is required. */
type TakenArguments<Name extends CallName> =
  Record<never, never> extends Api[Name]['takes'] ? [given?: TakenBy<Name>] : [given: TakenBy<Name>]

type Answers<Name extends CallName> = Api[Name]['answers']
/** 202 comes only if it was asked for, unless there is no other answer. */
type UsualStatus<Name extends CallName> =
  Exclude<keyof Answers<Name>, 202> extends never ? keyof Answers<Name> : Exclude<keyof Answers<Name>, 202>
type BodyOf<Name extends CallName> = Answers<Name>[UsualStatus<Name>]

/** An answer with all that it says. `status` tells which body it has. */
export type FullAnswer<Name extends CallName> = {
  [Status in keyof Answers<Name>]: CallRecord & {
    status: Status
    body: Answers<Name>[Status]
    headers: Headers
    /** Where to look for what was made, or will be. */
    location: string | undefined
    /** Whether this is the answer of an earlier request with this key. */
    wasReplayed: boolean
  }
}[keyof Answers<Name>]

/** Paths of lists that come in pages. */
type ListPath = {
  [Path in PathOf<'GET'>]: BodyOf<NameOf<'GET', Path>> extends { items: unknown[]; next_cursor: unknown }
    ? Path
    : never
}[PathOf<'GET'>]
type ItemOf<Path extends ListPath> =
  BodyOf<NameOf<'GET', Path>> extends { items: (infer Item)[] } ? Item : never

type AskBy<M extends Method> = <Path extends PathOf<M>>(
  path: Path,
  ...given: TakenArguments<NameOf<M, Path>>
) => Promise<BodyOf<NameOf<M, Path>>>

/** Calls the bank. Each call resolves with the body of a success. It rejects with
 * - a BankProblem if the bank refuses, or still can't do it when the time is over;
 * - a NoAnswerError if nobody answers in that time;
 * - a SignedOutError if the session has ended;
 * - the reason of `signal` when it aborts.
 *
 * A GET, and what takes an Idempotency-Key, is sent again after no answer, 429, 502, 503, 504 and 409
 * `idempotency-key-in-use`. Everything else is sent once. */
export interface BankClient {
  get: AskBy<'GET'>
  post: AskBy<'POST'>
  put: AskBy<'PUT'>
  patch: AskBy<'PATCH'>
  delete: AskBy<'DELETE'>
  /** Yields the items of a list, and asks for the next page when it is needed. `query.cursor` says where to
   * begin, `query.limit` how many a page has. */
  list: <Path extends ListPath>(
    path: Path,
    ...given: TakenArguments<NameOf<'GET', Path>>
  ) => AsyncIterable<ItemOf<Path>>
  /** Resolves with the whole answer: status, headers, whether it is a repeat, where to look. */
  request<Name extends CallName>(name: Name, ...given: TakenArguments<Name>): Promise<FullAnswer<Name>>
  /** Resolves with the answer's head, for what is no JSON (files, other formats of statements). Read its
   * body. */
  raw<Name extends CallName>(name: Name, ...given: TakenArguments<Name>): Promise<Response>
  /** Yields the user's notifications while they are stored, for ever; comes back by itself when the stream
   * ends. */
  notifications(options?: {
    lastEventId?: string
    signal?: AbortSignal
  }): AsyncIterable<StreamedEvent<Notification>>
  /** Begins a session, which the client renews. The password is not kept. */
  login(credentials: Credentials): Promise<void>
  /** Ends the session. */
  logout(): Promise<void>
}
