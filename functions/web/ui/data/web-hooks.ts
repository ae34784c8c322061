import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { WebHook, WebHookDelivery } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { lookAgainAt } from './due-soon.ts'
import { useKeyedAct, type HowToSend } from './keyed-act.ts'
import { ownOnly } from './session.ts'

export type { WebHook, WebHookDelivery }

/** The web hooks of whoever is signed in, the newest first. Nobody has more than ten. */
export const webHooksQuery = () =>
  queryOptions({
    queryKey: ['web-hooks', 'list'],
    queryFn: async ({ client, signal }) =>
      (await api.get('/api/webhooks', { query: { limit: 50, ...(await ownOnly(client)) }, signal })).items,
  })

/** What was posted to a web hook, the newest first, page by page; live while something is due soon and
 * `isWatched`: the hook is active, and somebody looks. */
export const deliveriesOfHookQuery = (id: string, isWatched: boolean) =>
  infiniteQueryOptions({
    queryKey: ['web-hooks', 'deliveries', id],
    queryFn: ({ pageParam: cursor, signal }) =>
      api.get('/api/webhooks/{id}/deliveries', {
        params: { id },
        query: { limit: 20, ...(cursor !== undefined && { cursor }) },
        signal,
      }),
    ...byCursor,
    refetchInterval: ({ state: { data } }) =>
      isWatched && lookAgainAt(data?.pages.flatMap(({ items }) => items) ?? [], Date.now()),
  })

/** What somebody enters for a web hook. */
export interface HookDraft {
  url: string
  types: string[]
}

/** Creates a web hook. Its answer alone has the secret. */
export const useCreateHook = () =>
  useKeyedAct((body: HookDraft, how) => api.post('/api/webhooks', { body, ...how }), ['web-hooks'])

/** What the owner of a web hook can do with it. */
export type HookAct =
  | { act: 'change'; id: string; body: HookDraft | { status: 'active' | 'paused' } }
  | { act: 'delete'; id: string }
  | { act: 'repeat'; id: string; delivery: string }

async function give(asked: HookAct, { headers, idempotencyKey }: HowToSend): Promise<unknown> {
  const params = { id: asked.id }
  switch (asked.act) {
    case 'change':
      return api.patch('/api/webhooks/{id}', { params, body: asked.body, headers, idempotencyKey })
    case 'delete':
      return api.delete('/api/webhooks/{id}', { params, headers })
    case 'repeat':
      return api.post('/api/webhooks/{id}/deliveries/{delivery_id}/repeat', {
        params: { ...params, delivery_id: asked.delivery },
        ...{ headers, idempotencyKey },
      })
  }
}

export const useHookAct = () => useKeyedAct(give, ['web-hooks'])

/** Gives a web hook another secret, which its answer alone has. For a day the one before is valid too. */
export const useNewHookSecret = () =>
  useKeyedAct(
    (id: string, how) => api.post('/api/webhooks/{id}/secrets', { params: { id }, ...how }),
    ['web-hooks'],
  )
