import { BankProblem, SignedOutError } from './problem.ts'

/** What logging in and refreshing answer. */
export interface Tokens {
  access_token: string
  /** Good for one use. */
  refresh_token: string
  /** Life of the access token, in seconds. */
  expires_in?: number
}

export interface Credentials {
  email: string
  password: string
}

/** Where calls get their access tokens from. */
export interface TokenSource {
  /** Resolves with the token to send, or with nothing if there is none. */
  token(): Promise<string | undefined>
  /** Called if the bank refused a token: the next token() must not be the same. */
  replace(refused: string): Promise<void>
  /** How often somebody has logged in or out. A call whose user may have changed is not sent again. */
  readonly userChanges?: number
}

export interface SessionOptions {
  /** Tokens of an earlier session. */
  tokens?: Tokens | undefined
  /** If given, the session begins by itself, and again when it has ended. */
  credentials?: Credentials | undefined
  /** Called with each new pair before it is used, and with nothing when the session has ended. The earlier
   * refresh token is used up by then, so store the new one. Until this has resolved, all calls wait. */
  onTokens?: ((tokens: Tokens | undefined) => void | Promise<void>) | undefined
}

/** Asks the bank for tokens. Rejects as calls do. */
export type AskForTokens = (path: '/api/auth/login' | '/api/auth/refresh', body: object) => Promise<Tokens>

// A token is renewed before it expires, so that a call doesn't have to be sent twice.
const MARGIN_MS_MAX = 30_000

/** Holds the tokens of one user. However many calls need a new one at once, it is asked for once: a refresh
 * token that is used again later than some seconds ends its session.
 *
 * The age of a token is measured from the request that brought it, on a clock that only goes forward. What
 * the clock of this machine shows doesn't matter. */
export class Session implements TokenSource {
  userChanges = 0
  readonly #ask: AskForTokens
  readonly #options: SessionOptions
  #tokens: Tokens | undefined
  /** Unknown for tokens of an earlier session: the bank refuses an old one, and it is renewed then. */
  #freshUntil = Infinity
  #isStored = true
  #ended: SignedOutError | undefined
  #renewal: Promise<void> | undefined
  #login: Promise<void> | undefined

  constructor(ask: AskForTokens, options: SessionOptions) {
    this.#ask = ask
    this.#options = options
    this.#tokens = options.tokens
  }

  async token(): Promise<string | undefined> {
    while (this.#login) await this.#login.catch(() => undefined)
    if (this.#renewal || this.#needsNew()) await this.#renewOnce()
    if (this.#ended) throw this.#ended
    return this.#tokens?.access_token
  }

  async replace(refused: string): Promise<void> {
    while (this.#login) await this.#login.catch(() => undefined)
    if (this.#tokens?.access_token === refused) await this.#renewOnce()
  }

  /** Begins a session. Rejects with a BankProblem if the password is wrong; an earlier session then goes
   * on. */
  async login(credentials: Credentials): Promise<void> {
    while (this.#asking) await this.#asking
    this.#login = this.#begin(credentials)
      .then(() => void this.userChanges++)
      .finally(() => (this.#login = undefined))
    await this.#login
  }

  /** Forgets the session. Resolves with its refresh token, which is still good. */
  async forget(): Promise<string | undefined> {
    while (this.#asking) await this.#asking
    const last = this.#tokens?.refresh_token
    this.userChanges++
    this.#drop()
    this.#isStored = true
    await this.#options.onTokens?.(undefined)
    return last
  }

  /** Settles when the bank has answered who asks for tokens now; undefined if nobody does. Two at once could
   * leave the tokens of the session before. */
  get #asking(): Promise<void> | undefined {
    return (this.#login ?? this.#renewal)?.catch(() => undefined)
  }

  #needsNew(): boolean {
    if (!this.#isStored || performance.now() > this.#freshUntil) return true
    return !this.#tokens && this.#options.credentials !== undefined
  }

  #renewOnce(): Promise<void> {
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined))
    return this.#renewal
  }

  async #renew(): Promise<void> {
    const { credentials } = this.#options
    if (!this.#isStored) return this.#store()
    if (this.#tokens && (await this.#goesOn(this.#tokens.refresh_token))) return
    if (credentials) await this.#begin(credentials)
  }

  /** Exchanges the refresh token. Resolves with false if the session has ended but can begin again. If no
   * answer comes, nobody knows whether the token is used up. It is kept then: the next call tries it again,
   * and if it was used, the session has ended as it would have without a try. */
  async #goesOn(refreshToken: string): Promise<boolean> {
    const askedAt = performance.now()
    try {
      await this.#accept(await this.#ask('/api/auth/refresh', { refresh_token: refreshToken }), askedAt)
      return true
    } catch (error) {
      if (!(error instanceof BankProblem) || ![400, 401].includes(error.status)) throw error
      this.#drop()
      if (this.#options.credentials) return false
      this.#ended = new SignedOutError(error)
      await this.#options.onTokens?.(undefined)
      throw this.#ended
    }
  }

  #drop(): void {
    this.#tokens = undefined
    this.#freshUntil = Infinity
  }

  async #begin({ email, password }: Credentials): Promise<void> {
    const askedAt = performance.now()
    await this.#accept(await this.#ask('/api/auth/login', { email, password }), askedAt)
  }

  async #accept(tokens: Tokens, askedAt: number): Promise<void> {
    const lifeMs = (tokens.expires_in ?? Infinity) * 1000
    this.#tokens = tokens
    this.#freshUntil = askedAt + lifeMs - Math.min(MARGIN_MS_MAX, lifeMs / 10)
    this.#ended = undefined
    await this.#store()
  }

  async #store(): Promise<void> {
    this.#isStored = false
    await this.#options.onTokens?.(this.#tokens)
    this.#isStored = true
  }
}
