import { completeFault, faultKinds, faultRules } from './faults.ts'
import { scenarios, type LabScenario } from './scenarios.ts'

test('a fault without figures gets the usual ones, and keeps those that it has', () => {
  expect(completeFault({ kind: 'repeat-deliveries' })).toEqual({ kind: 'repeat-deliveries', times: 5 })
  expect(completeFault({ kind: 'repeat-deliveries', times: 2 }).times).toBe(2)
  expect(completeFault({ kind: 'slow-consumer', ms: 5 })).toMatchObject({ function: 'notify', ms: 5 })
  expect(completeFault({ kind: 'kill-function' })).not.toHaveProperty('function')
})

test.each([
  [{ kind: 'rabbitmq-away', function: 'transfer' }, '/function'],
  [{ kind: 'rabbitmq-away', times: 2 }, '/times'],
  [{ kind: 'rabbitmq-away', seconds: 31 }, '/seconds'],
  [{ kind: 'kill-function', every_ms: 199 }, '/every_ms'],
] as const)('%j is refused for its %s', (fault, path) => {
  expect(() => completeFault(fault)).toThrow(expect.objectContaining({ path }))
})

test('each scenario is within the bounds, and each kind of fault is in one of them', () => {
  const faults = (scenarios as readonly LabScenario[]).flatMap((scenario) => scenario.faults)
  expect(faults.map(completeFault)).toHaveLength(faults.length)
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds))
  expect(scenarios).toHaveLength(6)
  for (const { figures } of Object.values(faultRules))
    for (const { min, max, usual } of Object.values(figures) as { min: number; max: number; usual: number }[])
      expect([min <= usual, usual <= max]).toEqual([true, true])
})
