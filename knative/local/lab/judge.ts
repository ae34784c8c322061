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
  /** Deliveries to notify by event. */
  readonly #deliveries = new Map<string, number>()
  readonly #contradictions: string[] = []
  #paidIn = 0n
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
    this.#paidIn += outcome.paidIn
  }

  delivered(service: string, eventId: string): void {
    if (service === 'notify') this.#deliveries.set(eventId, (this.#deliveries.get(eventId) ?? 0) + 1)
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
    await this.look(this.#moved)
    await this.#lookAtPoison()
    const { counts } = this.#run
    if (counts.unanswered > 0)
      this.#set('answers', 'broken', this.prove(`${counts.unanswered} transactions were never answered`))
    await this.#check('once', async () => {
      const { doubled, doubledIds, balance } = await this.#oracle.accounts(this.accounts, this.#moved)
      counts.doubled = doubled
      for (const id of doubledIds) this.prove(`nobody was told of transaction ${id}`)
      const isRight = balance === this.#paidIn
      const found = `${toDecimal(balance)} there, ${toDecimal(this.#paidIn)} expected`
      this.#set('money', isRight ? 'ok' : 'broken', isRight ? found : this.prove(`money: ${found}`))
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

  async #lookAtEffects(): Promise<void> {
    const moved = [...this.#moved]
    await this.#check('events', async () => {
      const { transactions, effects, deadLetters } = await this.#oracle.effects(moved)
      const deliveries = moved.reduce((sum, id) => sum + (this.#deliveries.get(eventIdOf(id)) ?? 0), 0)
      Object.assign(this.#run.counts, { took_effect: effects, dead_letters: deadLetters, deliveries })
      const twice = effects - transactions
      const waiting = moved.length - transactions - deadLetters
      return {
        ok: twice > 0 ? false : waiting === 0 || null,
        found: `${effects} took effect, ${twice} of them again, ${deadLetters} are dead letters, ${waiting} are on their way`,
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

/** The source of the events that nobody can process. */
export const poisonSourceOf = ({ id }: Pick<LabRun, 'id'>): string => `/lab/${id}`
