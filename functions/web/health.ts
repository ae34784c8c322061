import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import { hasDatabase, type Context } from '../contexts.ts'
import type { Reply } from '../host/reply.ts'
import { problem, problems } from '../host/problems.ts'
import type { Tools } from '../host/tools.ts'

interface FunctionHealth {
  status: 'ok' | 'unavailable'
  [detail: string]: unknown
}

// Milliseconds; enough for a function that must start first.
const TIMEOUT_MS = 10_000
/** Milliseconds in which a function is asked only once, however many callers ask: these pages are public. */
const FRESH_MS = 2_000

/** Creates the health pages of the bank. Asking a function wakes it up. */
export function createHealth(catalogue: readonly CatalogueEntry[], { send, config }: Tools) {
  const contexts = [...new Set(catalogue.map((entry) => entry.context))].filter(hasDatabase).sort()

  const known = new Map<string, { health: Promise<FunctionHealth>; isFresh: boolean }>()

  const ask = (service: string): Promise<FunctionHealth> => {
    const before = known.get(service)
    if (before?.isFresh) return before.health
    const entry = { health: askNow(service), isFresh: true }
    known.set(service, entry)
    const expire = (): void => void (entry.isFresh = false)
    void entry.health.then(() => setTimeout(expire, FRESH_MS).unref())
    return entry.health
  }

  const askNow = async (service: string): Promise<FunctionHealth> => {
    try {
      const url = `http://${service}.${config.SERVICE_DOMAIN}/health`
      const { status, body } = await send({ url, method: 'GET', timeoutMs: TIMEOUT_MS })
      const details = JSON.parse(body.toString()) as Record<string, unknown>
      return { ...details, status: status === 200 ? 'ok' : 'unavailable' }
    } catch {
      return { status: 'unavailable', function: service }
    }
  }

  /** Chooses the function that speaks for a context: the first one with a GET route, but not the audit, which
   * hardly ever runs anyway. Its health covers the context's database. */
  const speakerOf = (context: Context): string => {
    const entries = catalogue.filter((entry) => entry.context === context)
    const reader = entries.find(
      ({ name, routes }) => !name.startsWith('audit-') && routes.some((route) => route.method === 'GET'),
    )
    return (reader ?? entries[0])!.name
  }

  const summary = async (names: Record<string, string>, key: string): Promise<Reply> => {
    const answers = await Promise.all(
      Object.entries(names).map(async ([name, service]) => [name, await ask(service)] as const),
    )
    const ok = answers.every(([, { status }]) => status === 'ok')
    return {
      status: ok ? 200 : 503,
      body: { status: ok ? 'ok' : 'unavailable', [key]: Object.fromEntries(answers) },
    }
  }

  return {
    all: () =>
      summary(Object.fromEntries(contexts.map((context) => [context, speakerOf(context)])), 'contexts'),
    services: () => summary(Object.fromEntries(catalogue.map(({ name }) => [name, name])), 'services'),
    async one(context: string): Promise<Reply> {
      const asked = contexts.find((candidate) => candidate === context)
      if (!asked)
        return problem(problems.notFound, `There is no context ${context}; there are ${contexts.join(', ')}.`)
      const body = await ask(speakerOf(asked))
      return { status: body.status === 'ok' ? 200 : 503, body }
    },
  }
}
