import type { FamilyProcess } from '../family.ts'
import { victimsIn } from './kills.ts'

const running = (pid: number, parent: number, name: string): FamilyProcess => ({
  ...{ pid, parent, name },
  seconds: 0,
  secondsOfEnded: 0,
})

test('Postgres’ server, RabbitMQ’s node and functions may be killed, and nothing else', () => {
  const family = [
    running(1, 0, 'main'),
    running(2, 1, 'runtime'),
    running(3, 2, 'Postgres'),
    running(4, 3, 'Postgres'),
    running(5, 2, 'epmd'),
    running(6, 2, 'RabbitMQ'),
    running(7, 6, 'erl_child_setup'),
    running(8, 2, 'transfer'),
    running(9, 2, 'notify'),
  ]
  const victims = victimsIn(family, new Set(['transfer', 'notify', 'deposit']))
  expect(victims).toEqual([
    { pid: 3, name: 'Postgres' },
    { pid: 6, name: 'RabbitMQ' },
    { pid: 8, name: 'transfer' },
    { pid: 9, name: 'notify' },
  ])
})
