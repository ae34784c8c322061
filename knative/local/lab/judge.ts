import { eventIdOf } from '../../../eventing/outbox-event.ts'
import type { LabInvariantId, LabRun } from '../../../functions/platform/lab/run-schema.ts'
import type { Oracle } from './oracle.ts'
import { toDecimal, type TransactionOutcome } from './traffic.ts'

const EVIDENCE_MAX = 50
/** The newest transactions that each look during a run asks the books for. The last look asks for all. */
const NEWEST = 2_000

interface Look {
  /** Null: not known yet. */
  ok: boolean | null
  found: string
}

/** Counts what a run does, and holds it against what really happened. It writes into the run. */
export class Judge {
  readonly #run: LabRun
  readonly #oracle: Oracle
  readonly #moved: string[] = []
  /** Moved transactions whose event has not taken effect yet. A look asks for these alone. */
  #waiting = new Set<string>()
  /** The other moved transactions, how often their events took effect, and how many of the waiting are dead
   * letters. */
  #effects = { transactions: 0, times: 0, deadLetters: 0 }
  /** Deliveries to notify by event, and the events of the run. */
  readonly #deliveries = new Map<string, number>()
  readonly #events = new Set<string>()
  readonly #contradictions: string[] = []
  /** The balance that each account should have according to the answers, in cents. */
  readonly #expected = new Map<string, bigint>()
  #poisonEvents = 0
  accounts: readonly string[] = []

  constructor(run: LabRun, oracle: Oracle) {
    this.#run = run
    this.#oracle = oracle
  }

  /** Whether something is wrong. It stays so. */
  get isRed(): boolean {
    return this.#run.invariants.some(({ state }) => state === 'broken')
  }

  asked(): void {
    this.#run.counts.unanswered++
  }

  answered(outcome: TransactionOutcome): void {
    const { counts } = this.#run
    if (outcome.kind === 'contradicted') {
      const { key, first, then } = outcome
      return void this.#contradictions.push(`key ${key} was answered with ${first}, and then with ${then}`)
    }
    counts.unanswered--
    counts.repeated += outcome.repeats
    if (outcome.kind === 'refused') return void counts.refused++
    counts.moved++
    this.#moved.push(outcome.id)
    this.#waiting.add(outcome.id)
    for (const { account, cents } of outcome.changes)
      this.#expected.set(account, (this.#expected.get(account) ?? 0n) + cents)
    const eventId = eventIdOf(outcome.id)
    this.#events.add(eventId)
    // An event can be faster than the answer.
    counts.deliveries += this.#deliveries.get(eventId) ?? 0
  }

  delivered(service: string, eventId: string): void {
    if (service !== 'notify') return
    this.#deliveries.set(eventId, (this.#deliveries.get(eventId) ?? 0) + 1)
    if (this.#events.has(eventId)) this.#run.counts.deliveries++
  }

  /** Whether anything was tried that can fail: money that moved, or an event that nobody can process. */
  get hasTried(): boolean {
    return this.#run.counts.moved + this.#poisonEvents > 0
  }

  poisoned(): void {
    this.#poisonEvents++
  }

  /** Looks at what has to be true at any moment. While a database is away, it is not known. */
  async look(moved: readonly string[] = this.#moved.slice(-NEWEST)): Promise<void> {
    await this.#check('answers', async () => {
      const { lost, lostIds } = await this.#oracle.books(moved)
      this.#run.counts.lost = lost
      for (const id of lostIds) this.prove(`the answered transaction ${id} is not in the books`)
      return { ok: lost === 0, found: `${moved.length} looked up, ${lost} lost` }
    })
    await this.#check('ledger', () => this.#oracle.ledger())
    await this.#check('keys', () => {
      for (const contradiction of this.#contradictions) this.prove(contradiction)
      const found = `${this.#run.counts.repeated} repeated, ${this.#contradictions.length} contradicted`
      return { ok: this.#contradictions.length === 0, found }
    })
    await this.#lookAtEffects()
  }

  /** How many transactions have no answer yet, or an event that neither took effect nor is a dead letter. */
  get open(): number {
    const { moved, unanswered, took_effect: tookEffect, dead_letters: deadLetters } = this.#run.counts
    return 2 * unanswered + moved - tookEffect - deadLetters
  }

  /** Whether each event took effect or is kept as a dead letter. */
  async isSettled(): Promise<boolean> {
    await Promise.all([this.#lookAtEffects(), this.#lookAtPoison()])
    return this.#stateOf('events') !== 'unknown' && this.#stateOf('poison') !== 'unknown'
  }

  /** The last look: at everything, and nothing may be open any more. */
  async judge(): Promise<void> {
    // Also at what took effect before: it may have done so again.
    this.#waiting = new Set(this.#moved)
    this.#effects = { transactions: 0, times: 0, deadLetters: 0 }
    await this.look(this.#moved)
    await this.#lookAtPoison()
    const { counts } = this.#run
    if (counts.unanswered > 0)
      this.#set('answers', 'broken', this.prove(`${counts.unanswered} transactions were never answered`))
    await this.#check('once', async () => {
      const { doubled, doubledIds, balances } = await this.#oracle.accounts(this.accounts, this.#moved)
      counts.doubled = doubled
      for (const id of doubledIds) this.prove(`nobody was told of transaction ${id}`)
      this.#judgeMoney(balances)
      return { ok: doubled === 0, found: `${counts.moved} moved, ${doubled} doubled` }
    })
    await this.#check('ledger', async () => {
      const faults = await this.#oracle.prove()
      for (const fault of faults) this.prove(`the books: ${fault}`)
      return { ok: faults.length === 0, found: faults[0] ?? 'all books are proved' }
    })
    // What could not be found out in all that time is wrong too.
    for (const { id, state, found } of this.#run.invariants)
      if (state === 'unknown') this.#set(id, 'broken', this.prove(`${id}, to the last: ${found}`))
  }

  /** Compares each account, and so their sum, with what the answers say. */
  #judgeMoney(balances: ReadonlyMap<string, bigint>): void {
    const accounts = new Set([...this.accounts, ...balances.keys(), ...this.#expected.keys()])
    const wrong = [...accounts].filter((id) => (balances.get(id) ?? 0n) !== (this.#expected.get(id) ?? 0n))
    for (const id of wrong)
      this.prove(`account ${id}: ${foundOf(balances.get(id) ?? 0n, this.#expected.get(id) ?? 0n)}`)
    const sum = (of: ReadonlyMap<string, bigint>): bigint => [...of.values()].reduce((a, b) => a + b, 0n)
    const sums = foundOf(sum(balances), sum(this.#expected))
    const found = wrong.length > 0 ? `${sums}; ${wrong.length} accounts are wrong` : sums
    this.#set(
      'money',
      wrong.length > 0 ? 'broken' : 'ok',
      wrong.length > 0 ? this.prove(`money: ${found}`) : found,
    )
  }

  async #lookAtEffects(): Promise<void> {
    await this.#check('events', async () => {
      const { counts } = this.#run
      const asked = [...this.#waiting]
      const found = await this.#oracle.effects(asked)
      const settled = found.filter(({ effects }) => effects > 0)
      for (const { id, effects } of settled) {
        this.#waiting.delete(id)
        this.#effects.transactions++
        this.#effects.times += effects
      }
      // A dead letter can be redriven, so it is asked for again.
      this.#effects.deadLetters = found.filter((one) => one.effects === 0 && one.isDeadLetter).length
      const { transactions, times, deadLetters } = this.#effects
      Object.assign(counts, { took_effect: times, dead_letters: deadLetters })
      const twice = times - transactions
      const waiting = this.#waiting.size - deadLetters
      return {
        ok: twice > 0 ? false : waiting === 0 || null,
        found: `${times} took effect, ${twice} of them again, ${deadLetters} are dead letters, ${waiting} are on their way`,
      }
    })
  }

  async #lookAtPoison(): Promise<void> {
    const published = this.#poisonEvents
    await this.#check('poison', async () => {
      const kept = await this.#oracle.deadLetters(poisonSourceOf(this.#run))
      // More than were confirmed, if a confirm got lost.
      return { ok: kept >= published || null, found: `${kept} of ${published} kept as dead letters` }
    })
  }

  async #check(id: LabInvariantId, look: () => Look | Promise<Look>): Promise<void> {
    try {
      const { ok, found } = await look()
      this.#set(id, ok === null ? 'unknown' : ok ? 'ok' : 'broken', found)
      if (ok === false) this.prove(`${id}: ${found}`)
    } catch (error) {
      this.#set(id, 'unknown', `could not be checked: ${(error as Error).message}`)
    }
  }

  #stateOf(id: LabInvariantId): Invariant['state'] {
    return this.#invariant(id).state
  }

  #invariant(id: LabInvariantId): Invariant {
    return this.#run.invariants.find((one) => one.id === id)!
  }

  #set(id: LabInvariantId, state: Invariant['state'], found: string): void {
    const invariant = this.#invariant(id)
    // What was broken once stays so, whatever comes later.
    if (invariant.state === 'broken') return
    Object.assign(invariant, { state, found, checked_at: new Date().toISOString() })
  }

  prove(line: string): string {
    const { evidence } = this.#run
    if (evidence.length < EVIDENCE_MAX && !evidence.includes(line)) evidence.push(line)
    return line
  }
}

type Invariant = LabRun['invariants'][number]

const foundOf = (there: bigint, expected: bigint): string =>
  `${toDecimal(there)} there, ${toDecimal(expected)} expected`

/** The source of the events that nobody can process. */
export const poisonSourceOf = ({ id }: Pick<LabRun, 'id'>): string => `/lab/${id}`
