import { readFile } from 'node:fs/promises'
import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import { join } from 'node:path'
import { UnavailableError } from '../../eventing/unavailable.ts'
import type { Config } from '../host/config.ts'

/** The kinds that the role `platform` may follow (knative/isolation/platform.yaml), by their paths. */
export const KINDS = {
  services: 'serving.knative.dev/v1',
  revisions: 'serving.knative.dev/v1',
  brokers: 'eventing.knative.dev/v1',
  triggers: 'eventing.knative.dev/v1',
  pingsources: 'sources.knative.dev/v1',
} as const

/** The kinds that it may list besides. The local runtime has none of them. */
export const LISTED = { pods: 'v1' } as const

export type ShownKind = keyof typeof KINDS
export const shownKinds = Object.keys(KINDS) as ShownKind[]

interface ObjectCondition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

/** What is read of an object of the Kubernetes API. */
export interface ClusterObject {
  metadata: {
    name: string
    uid: string
    resourceVersion: string
    creationTimestamp?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  // Each kind has its own; whoever reads it knows its fields.
  // oxlint-disable-next-line typescript/no-explicit-any
  spec?: any
  // oxlint-disable-next-line typescript/no-explicit-any
  status?: { conditions?: readonly ObjectCondition[]; [field: string]: any }
}

/** All objects of the kinds that are shown. */
export type ClusterObjects = Record<ShownKind, ClusterObject[]>

export interface ObjectList {
  resourceVersion: string
  items: ClusterObject[]
}

export interface KubernetesClient {
  /** The bank's namespace. */
  namespace: string
  /** Lists a kind in the bank's namespace. */
  list(kind: ShownKind): Promise<ObjectList>
  /** Lists the pods of the bank, which say when they became ready. */
  pods(): Promise<ClusterObject[]>
  /** Reads all kinds at once. */
  all(): Promise<ClusterObjects>
  /** Opens an answer that goes on; `query` begins after the question mark. */
  open(kind: ShownKind, query: string, signal?: AbortSignal): Promise<IncomingMessage>
}

const TIMEOUT_MS = 5_000
/** The status if the API no longer knows what came after the version to watch from. */
const GONE = 410

const LIST_AGAIN = Symbol.for('microbank.list-again')

/** Thrown if a watch can't go on though the API answers, as when its version is too old. The objects have to
 * be listed again. */
export class ListAgainError extends UnavailableError {
  readonly [LIST_AGAIN] = true

  static override [Symbol.hasInstance](error: unknown): boolean {
    return typeof error === 'object' && error !== null && LIST_AGAIN in error
  }
}

type ReachConfig = Pick<Config, 'KUBERNETES_API' | 'KUBERNETES_ACCOUNT' | 'SERVICE_DOMAIN'>

/** Creates a client that reads, and only reads, the Kubernetes API. Everything rejects with an
 * UnavailableError if the API does not answer, or refuses. */
export function createKubernetesClient(config: ReachConfig): KubernetesClient {
  const [namespace] = config.SERVICE_DOMAIN.split('.')

  /** `under` is the path of the API, and `kind` a plural. */
  const openAt = async (under: string, kind: string, query: string, signal?: AbortSignal) => {
    const path = `/${under}/namespaces/${namespace}/${kind}?${query}`
    const url = new URL(path, config.KUBERNETES_API)
    const response = await begin(url, config.KUBERNETES_ACCOUNT, signal).catch((cause: unknown) => {
      throw unreachable(cause)
    })
    if (response.statusCode === 200) return response
    response.destroy()
    if (response.statusCode === GONE) throw new ListAgainError(`GET ${path}: ${GONE}`)
    throw unreachable(new Error(`GET ${path}: ${response.statusCode}`))
  }

  const listAt = async (under: string, kind: string): Promise<ObjectList> => {
    // Version 0 is answered from what the API server has in memory.
    const response = await openAt(under, kind, 'resourceVersion=0', AbortSignal.timeout(TIMEOUT_MS))
    try {
      let text = ''
      for await (const part of response.setEncoding('utf8')) text += part
      const { items, metadata } = JSON.parse(text) as {
        items: ClusterObject[]
        metadata: { resourceVersion: string }
      }
      if (!Array.isArray(items)) throw new Error(`GET ${under} ${kind}: no list`)
      return { items, resourceVersion: metadata.resourceVersion }
    } catch (cause) {
      throw unreachable(cause)
    }
  }

  const list: KubernetesClient['list'] = (kind) => listAt(`apis/${KINDS[kind]}`, kind)

  return {
    ...{ namespace: namespace!, list },
    open: (kind, query, signal) => openAt(`apis/${KINDS[kind]}`, kind, query, signal),
    pods: async () => (await listAt(`api/${LISTED.pods}`, 'pods')).items,
    async all() {
      const lists = await Promise.all(
        shownKinds.map(async (kind) => [kind, (await list(kind)).items] as const),
      )
      return Object.fromEntries(lists) as ClusterObjects
    },
  }
}

const unreachable = (cause: unknown): UnavailableError =>
  new UnavailableError('the Kubernetes API did not answer', { cause })

/** Sends a request. Resolves with its answer when that begins. */
async function begin(url: URL, account: string, signal?: AbortSignal): Promise<IncomingMessage> {
  const headers = { accept: 'application/json' }
  const options: RequestOptions = { headers, agent: false, ...(signal && { signal }) }
  if (url.protocol === 'http:') return answerOf((done) => http.get(url, options, done))
  // The kubelet renews the token in its file, so it is read each time.
  const [token, ca] = await Promise.all(
    ['token', 'ca.crt'].map((name) => readFile(join(account, name), 'utf8')),
  )
  const https = await import('node:https')
  const withToken = { ...headers, authorization: `Bearer ${token!.trim()}` }
  return answerOf((done) => https.get(url, { ...options, ca, headers: withToken }, done))
}

function answerOf(send: (done: (answer: IncomingMessage) => void) => http.ClientRequest) {
  return new Promise<IncomingMessage>((resolve, reject) => void send(resolve).on('error', reject))
}

/** Returns whether an object is ready, and why not. As long as that is not known, as during set-up, it is not
 * ready. A Service at zero is ready. */
export function readinessOf(object: ClusterObject): { ready: boolean; reason: string | null } {
  const ready = conditionOf(object, 'Ready')
  if (ready?.status === 'True') return { ready: true, reason: null }
  return { ready: false, reason: ready?.message ?? ready?.reason ?? 'NotReady' }
}

/** A condition of an object; undefined if it has none of that type yet. */
export const conditionOf = ({ status }: ClusterObject, type: string): ObjectCondition | undefined =>
  status?.conditions?.find((condition) => condition.type === type)
