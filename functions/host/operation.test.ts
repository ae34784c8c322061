import { randomUUID } from 'node:crypto'
import { startFunction, token } from '../../tests/support/host.ts'
import { operation, route, type Consumer } from './operation.ts'

const counting = { name: 'counting', context: 'web', summary: 'Counts its requests' } as const

interface Counter {
  count: number
}

const countUp = (path: string) =>
  route({
    method: 'GET',
    path,
    who: 'signed-in',
    summary: 'Counts',
    answers: { 200: { type: 'object' } },
    handle: async (_request, _tools, counter: Counter) => ({ status: 200, body: { count: ++counter.count } }),
  })

test('the handlers of a process share the state of their operation, which is made for the first of them', async () => {
  let made = 0
  const state = (): Counter => ({ count: made++ })
  const host = await startFunction(operation({ ...counting, state, routes: [countUp('/a'), countUp('/b')] }))
  try {
    expect(made).toBe(0)
    const bearer = await token({ userId: randomUUID() })
    const counts = ['/a', '/b', '/a'].map(async (path) => {
      const { body } = await host.request('GET', path, { token: bearer })
      return body.count as number
    })
    expect((await Promise.all(counts)).sort()).toEqual([1, 2, 3])
    expect(made).toBe(1)
  } finally {
    await host.stop()
  }
})

test('an operation whose handlers expect another state than it makes does not compile', () => {
  const consumer: Consumer<Counter> = { contracts: 'any', receive: async () => {} }
  const routes = [countUp('/a')]
  // @ts-expect-error: no state
  operation({ ...counting, routes })
  // @ts-expect-error: another state
  operation({ ...counting, state: () => ({ total: 0 }), routes })
  // @ts-expect-error: no state for the consumer
  operation({ ...counting, consumes: consumer })
  operation({ ...counting, state: () => ({ count: 0 }), routes, consumes: consumer })
  expect.assertions(0)
})
