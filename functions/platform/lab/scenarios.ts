import type { GivenFault } from './faults.ts'

/** What a scenario of the lab does, and what it should show. */
export interface LabScenario {
  name: string
  /** What should be true all the same. */
  hypothesis: string
  faults: readonly GivenFault[]
  perSecond: number
  seconds: number
}

export const scenarios = [
  {
    name: 'killed-after-commit',
    hypothesis: 'No cent is lost though the function dies between commit and publish.',
    faults: [
      { kind: 'kill-function', function: 'transfer', every_ms: 1_000 },
      { kind: 'drop-confirms', percent: 50 },
    ],
    perSecond: 20,
    seconds: 20,
  },
  {
    name: 'delivered-five-times',
    hypothesis: 'Each event takes effect once though each is delivered five times.',
    faults: [{ kind: 'repeat-deliveries', times: 5 }],
    perSecond: 20,
    seconds: 15,
  },
  {
    name: 'rabbitmq-away',
    hypothesis: 'Money moves though RabbitMQ is away, and every message comes once it is back.',
    faults: [{ kind: 'rabbitmq-away', seconds: 10 }],
    perSecond: 10,
    seconds: 20,
  },
  {
    name: 'postgres-killed',
    hypothesis: 'What was answered is in the books though Postgres was killed.',
    faults: [{ kind: 'postgres-killed', times: 2 }],
    perSecond: 20,
    seconds: 30,
  },
  {
    name: 'slow-consumer',
    hypothesis: 'Nobody waits for a slow consumer, and it still gets every event.',
    faults: [
      { kind: 'slow-consumer', function: 'notify', ms: 2_000 },
      { kind: 'delay-deliveries', ms: 1_000 },
    ],
    perSecond: 10,
    seconds: 15,
  },
  {
    name: 'poison-event',
    hypothesis: 'An event that nobody can process stops no other, and is kept.',
    faults: [
      { kind: 'poison-event', count: 3 },
      { kind: 'kill-function', every_ms: 2_000 },
    ],
    perSecond: 10,
    seconds: 15,
  },
] as const satisfies readonly LabScenario[]

export type ScenarioName = (typeof scenarios)[number]['name']
export const scenarioNames = scenarios.map(({ name }) => name)

export const scenarioOf = (name: string): LabScenario | undefined =>
  scenarios.find((scenario) => scenario.name === name)
