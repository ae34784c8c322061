import { transferFor } from './transfer-for.ts'

const order = {
  ...{ userId: 'u', key: 'k' },
  body: { account_id: 'a', to_account_id: 'b', amount: '1.00', currency: 'USD', metadata: {} },
}
const answering = (status: number, problem: string) => ({
  callFor: () => () =>
    Promise.resolve({ status, headers: {}, body: { type: `https://bank.example/problems/${problem}` } }),
})

test('an answer that decides nothing is no refusal: the money may have moved', async () => {
  for (const [status, problem] of [
    [422, 'idempotency-key-reused'],
    [409, 'idempotency-key-in-use'],
    [404, 'not-found'],
    [403, 'forbidden'],
    [500, 'internal-error'],
  ] as const)
    expect(await transferFor(answering(status, problem), order, '')).toMatchObject({ outcome: 'unknown' })
  expect(await transferFor(answering(409, 'insufficient-funds'), order, '')).toEqual({
    ...{ outcome: 'refused', problem: 'insufficient-funds' },
  })
})
