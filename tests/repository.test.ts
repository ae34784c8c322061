import { basename, dirname } from 'node:path'
import { asyncapiOf } from '../eventing/asyncapi.ts'
import { dataschemaOf, sourceOf, type EventContract } from '../eventing/contracts/contract.ts'
import { groupsByEvent, typesGroupedByEvent } from '../eventing/groups-by-event.ts'
import { GROUP_ATTRIBUTES, groupedTypes, groupsOf } from '../eventing/groups.ts'
import { callingContexts, databaseContexts, hasDatabase } from '../functions/contexts.ts'
import { auditsOf } from '../functions/host/audit/declared.ts'
import { storeSettings } from '../functions/documents/stores/stores.ts'
import { callKeySetting, databaseSetting, eventKeySetting } from '../functions/host/config.ts'
import { openapiOf } from '../functions/host/contract/openapi.ts'
import { createAjv } from '../functions/host/http/compile-validators.ts'
import type { Operation } from '../functions/host/operation.ts'
import { triggerOf } from '../functions/notifications/dead-letters/failure.ts'
import { contextSettings } from '../functions/host/settings/all.ts'
import { neededSettings } from '../functions/host/start/serve.ts'
import { contracts, files, manifests, operations, read, type Manifest } from './support/repository.ts'

/** Facts that are in several places of the repository, compared with each other. */

let allOperations: (Operation & { file: string })[]
let allContracts: (EventContract & { file: string })[]
const services = manifests('Service').filter(({ apiVersion }) => apiVersion === 'serving.knative.dev/v1')
const triggers = manifests('Trigger')
const pingSources = manifests('PingSource')

beforeAll(async () => {
  allOperations = await operations()
  allContracts = await contracts()
})

/** What these tests read of the AsyncAPI document. */
interface AsyncApi {
  components: {
    messages: Record<
      string,
      { headers: { properties: Record<string, object> }; examples: { headers: object }[] }
    >
  }
}

const names = (objects: Manifest[]): string[] => objects.map(({ metadata }) => metadata.name as string).sort()
const serviceOf = (name: string): Manifest => services.find(({ metadata }) => metadata.name === name)
const containerOf = (service: Manifest): Manifest => service.spec.template.spec.containers[0]

test('the documents of the contract are what `npm run openapi` writes', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const isFresh = (name: string, document: object): boolean =>
    read(`functions/web/${name}.json`) === `${JSON.stringify(document, null, 2)}\n`
  expect({
    openapi: isFresh('openapi', openapiOf(allOperations, version)),
    asyncapi: isFresh('asyncapi', asyncapiOf(allContracts, version)),
  }).toEqual({ openapi: true, asyncapi: true })
})

describe('operations and Services', () => {
  test('an operation has the name of its file, which is in the folder of its context', () => {
    for (const { name, context, file } of allOperations) expect(file).toBe(`functions/${context}/${name}.ts`)
  })

  test('each operation has a Service of its name, and each Service an operation', () => {
    expect(names(services)).toEqual(allOperations.map(({ name }) => name).sort())
    for (const service of services) {
      expect(containerOf(service).args).toEqual([service.metadata.name])
      expect(basename(service.file)).toBe(`${service.metadata.name}.yaml`)
    }
  })

  test('C5: a Service gives its operation every setting that it needs, and no other secret', () => {
    const given: Record<string, string[]> = {
      'token-keys': ['JWKS'],
      'token-signing-key': ['JWT_SIGNING_KEY'],
      'ledger-requests': ['REQUEST_SIGNING_KEY'],
      'front-door-key': ['FRONT_DOOR_KEY'],
      'web-hook-key': ['WEB_HOOK_KEY'],
      'link-key': ['LINK_KEY'],
      'sandbox-provider': ['SANDBOX_HOOK_SECRETS'],
      'seal-signing-key': ['SEAL_SIGNING_KEY'],
      'seal-keys': ['SEAL_KEYS'],
      'call-keys': ['CALL_KEYS'],
      // Optional, and so are the settings in them.
      'message-channels': [],
      'mail-server': [],
      'sms-provider': [],
      'push-keys': [],
      // Only a laptop has them.
      'lab-key': [],
      'demo-key': [],
      'mail-key': [],
      'document-store': [...storeSettings],
      'first-operator': ['OPERATOR_EMAIL', 'OPERATOR_PASSWORD'],
      ...Object.fromEntries(
        databaseContexts.flatMap((context) => [
          [`${context}-database`, [databaseSetting(context)!]],
          [`${context}-events`, [eventKeySetting(context)]],
        ]),
      ),
      ...Object.fromEntries(
        callingContexts.map((context) => [`${context}-calls`, [callKeySetting(context)]]),
      ),
    }
    for (const { name, ...declared } of allOperations) {
      const { envFrom, env = [] } = containerOf(serviceOf(name))
      const sources = (envFrom as Manifest[])
        .map(({ secretRef, configMapRef }) => (secretRef ?? configMapRef).name as string)
        .filter((source) => source !== 'microbank')
      const needed = neededSettings({ name, ...declared })
      const single = (env as Manifest[]).map((variable) => {
        expect(given[variable.valueFrom.secretKeyRef.name]).toContain(variable.valueFrom.secretKeyRef.key)
        return variable.name as string
      })
      const settings = [...sources.flatMap((source) => given[source] ?? [source]), ...single]
      expect([name, settings.sort()]).toEqual([name, [...needed].sort()])
    }
  })

  test('a context reads no setting of another, because its bundles don’t have it', () => {
    for (const [context, settings] of Object.entries(contextSettings)) {
      const mentions = new RegExp(`\\b(${Object.keys(settings).join('|')})\\b`)
      const others = files(/^functions\/(?!host\/settings\/|.*\/testing\/).*(?<!\.test)\.ts$/).filter(
        (file) => !file.startsWith(`functions/${context}/`),
      )
      const reading = others.filter((file) => Object.keys(settings).length > 0 && mentions.test(read(file)))
      expect([context, reading]).toEqual([context, []])
    }
  })

  test('exactly the operations that only the platform may call are hidden from outside', () => {
    for (const { name, routes, mount } of allOperations) {
      const visibility = serviceOf(name).metadata.labels?.['networking.knative.dev/visibility']
      expect([name, visibility]).toEqual([name, routes || mount ? undefined : 'cluster-local'])
    }
  })

  test('only a context that calls on behalf of customers has a key for it, and it acts for no operator', () => {
    for (const { name, context, needs = [], routes = [] } of allOperations) {
      for (const calling of callingContexts)
        if (needs.includes(callKeySetting(calling))) expect([name, context]).toEqual([name, calling])
      for (const { who, onBehalf } of routes)
        if (onBehalf) expect(['signed-in', 'contexts']).toContain(who)
        else expect(who).not.toBe('contexts')
    }
  })

  test('the routes that may be called on behalf of customers are these, and no others', () => {
    const called = allOperations.flatMap(({ routes = [] }) =>
      routes.flatMap(({ method, path, when, onBehalf = [] }) =>
        onBehalf.map((context) => `${context}: ${method} ${path}${when ? ` ${JSON.stringify(when)}` : ''}`),
      ),
    )
    expect(called.sort()).toEqual([
      'documents: GET /accounts/{id}/statement',
      'payments: GET /accounts',
      'payments: GET /accounts/{id}',
      'payments: GET /holds/{id}',
      'payments: GET /sandbox/transfers/{reference}',
      'payments: GET /transactions/{id}',
      'payments: GET /users/{id}/shown-name',
      'payments: POST /accounts/find',
      'payments: POST /clearing/deposits',
      'payments: POST /clearing/holds/{id}/capture',
      'payments: POST /holds',
      'payments: POST /holds/{id}/capture',
      'payments: POST /holds/{id}/release',
      'payments: POST /posting-watches',
      'payments: POST /posting-watches/end',
      'payments: POST /sandbox/transfers',
      'payments: POST /sandbox/transfers/{reference}/cancel',
      'payments: POST /transactions {"type":"transfer"}',
      'payments: POST /users/find',
    ])
  })

  test('no two operations answer the same method, path and condition', () => {
    const addresses = allOperations.flatMap(({ routes = [] }) =>
      routes.map(({ method, path, when }) => `${method} ${path} ${JSON.stringify(when ?? {})}`),
    )
    expect(new Set(addresses).size).toBe(addresses.length)
  })

  test('every route that changes something, or shows an operator another’s data, is audited', () => {
    // A new exception needs a reason: 'books' for postings, whose rows follow from the transactions; 'calls'
    // if the functions that are called have the rows; `nothing` if nothing is changed or shown.
    const exceptions = allOperations.flatMap(({ name, routes = [] }) =>
      routes.flatMap((route) => {
        const audits = auditsOf(route)
        const usual = route.method === 'GET' ? 'read' : 'change'
        return audits === usual ? [] : [`${name} ${route.method} ${route.path}: ${JSON.stringify(audits)}`]
      }),
    )
    expect(exceptions.sort()).toEqual([
      'accounts POST /accounts/find: {"nothing":"only payments learns it, and tells nobody whose account it is"}',
      'audit GET /audit: "calls"',
      'capture-hold POST /holds/{id}/capture: "books"',
      'clearing POST /clearing/deposits: "books"',
      'clearing POST /clearing/holds/{id}/capture: "books"',
      'create-order POST /orders/preview: {"nothing":"it changes nothing, and shows nobody’s data"}',
      'dead-letters GET /dead-letter-redrives/{id}: {"nothing":"it shows counts, and nobody’s data"}',
      'dead-letters GET /dead-letter-redrives: {"nothing":"it shows counts, and nobody’s data"}',
      'dead-letters GET /dead-letters/groups: {"nothing":"it shows counts, and nobody’s data"}',
      'deposit POST /transactions: "books"',
      'documents GET /media/status: {"nothing":"it tells of no customer"}',
      'dry-run POST /transactions/dry-run: "read"',
      'fees GET /fees: {"nothing":"fees are no customer’s data"}',
      'fees POST /fees/dry-run: {"nothing":"sums over all customers tell nothing of one"}',
      'lab DELETE /lab/runs/{id}: {"nothing":"the run keeps who has begun it; it touches only customers of its own"}',
      'lab GET /lab/runs/{id}/report: {"nothing":"it shows no customer’s data"}',
      'lab GET /lab/runs/{id}: {"nothing":"it shows no customer’s data"}',
      'lab GET /lab: {"nothing":"it shows no customer’s data"}',
      'lab POST /lab/runs: {"nothing":"the run keeps who has begun it; it touches only customers of its own"}',
      'ledger-checks GET /ledger/invariants: {"nothing":"it shows no customer’s data"}',
      'ledger-checks GET /ledger/status: {"nothing":"it shows no customer’s data"}',
      'ledger-checks GET /ledger/verify: {"nothing":"it shows no customer’s data"}',
      'ledger-checks POST /ledger/verify: {"nothing":"it changes nothing, and shows no customer’s data"}',
      'notification-stream GET /notifications/stream: {"nothing":"everybody reads only their own"}',
      'notifications POST /notifications/read: {"nothing":"everybody marks only their own, and nothing else changes"}',
      'payees GET /payees: {"nothing":"payers learn no more of a payee than they need, and may not ask often"}',
      'place-hold POST /holds: "books"',
      'platform GET /platform/cold-starts: {"nothing":"it shows what runs, and nobody’s data"}',
      'platform GET /platform/events: {"nothing":"it shows what runs, and nobody’s data"}',
      'platform GET /platform/functions/{name}/logs: {"nothing":"logs have ids, and nobody’s data"}',
      'platform GET /platform/functions/{name}: {"nothing":"it shows what runs, and nobody’s data"}',
      'platform GET /platform/mails/{id}/html: {"nothing":"only a bank on a laptop has them, and whoever started it can read them anyway"}',
      'platform GET /platform/mails/{id}: {"nothing":"only a bank on a laptop has them, and whoever started it can read them anyway"}',
      'platform GET /platform/mails: {"nothing":"only a bank on a laptop has them, and whoever started it can read them anyway"}',
      'platform GET /platform/metrics: {"nothing":"it shows what runs, and nobody’s data"}',
      'platform GET /platform/topology: {"nothing":"it shows what runs, and nobody’s data"}',
      'platform GET /platform: {"nothing":"it shows what runs, and nobody’s data"}',
      'platform-stream GET /platform/stream: {"nothing":"it shows what runs, and nobody’s data"}',
      'post-batch POST /transactions/batch: "books"',
      'receive-hook POST /providers/{provider}/hooks: {"nothing":"what providers said is kept in provider_hooks"}',
      'release-hold POST /holds/{id}/release: "books"',
      'reverse-transaction POST /transactions/{id}/reverse: "books"',
      'sandbox-provider GET /sandbox/transfers/{reference}: {"nothing":"it moves no money, and is no part of the bank"}',
      'sandbox-provider POST /sandbox/transfers/{reference}/cancel: {"nothing":"it moves no money, and is no part of the bank"}',
      'sandbox-provider POST /sandbox/transfers: {"nothing":"it moves no money, and is no part of the bank"}',
      'seals GET /.well-known/microbank-checkpoint/{n}: {"nothing":"everybody may read it"}',
      'seals GET /.well-known/microbank-checkpoint: {"nothing":"everybody may read it"}',
      'seals GET /.well-known/microbank-seal-keys: {"nothing":"everybody may read it"}',
      'seals GET /seals/consistency: {"nothing":"everybody may read it"}',
      'seals GET /seals: {"nothing":"everybody may read it"}',
      'transfer POST /transactions: "books"',
      'users GET /users/{id}/shown-name: {"nothing":"payers learn it, who have named the payee"}',
      'users POST /users/find: {"nothing":"only payments learns it, and tells nobody"}',
      'watch-postings POST /posting-watches/end: {"nothing":"the audit of payments has the web hooks that it is for"}',
      'watch-postings POST /posting-watches: {"nothing":"the audit of payments has the web hooks that it is for"}',
      'withdraw POST /transactions: "books"',
      'witness-seals GET /seals/witnessed: {"nothing":"everybody may read it"}',
    ])
  })

  test('what is audited has a database to write to', () => {
    for (const { name, context, routes = [] } of allOperations)
      for (const route of routes)
        if (['change', 'read', 'books'].includes(String(auditsOf(route))))
          expect([name, hasDatabase(context)]).toEqual([name, true])
  })

  test('each operation has a test beside it', () => {
    const tests = files(/\.test\.ts$/).map((file) => ({ file, text: read(file) }))
    for (const { name, file } of allOperations) {
      const beside = tests.filter((test) => dirname(test.file) === dirname(file))
      // A sweep and an audit are a few lines around code of the host. Tests of the whole run them all.
      const covering = /^(sweep|audit)-/.test(name) ? tests : beside
      expect([name, covering.some(({ text }) => text.includes(`/${name}.ts'`))]).toEqual([name, true])
    }
  })
})

/** Where a problem is defined, by its name; `code` is that of the pages' own. */
const PROBLEM = /\bdefine\(\s*'([\w-]+)'|\bname: '([\w-]+)',\s*status:|\breadonly code = '([\w-]+)'/g

test('the pages have words only for problems that the bank can answer with, or that are their own', () => {
  const defined = files(/^functions\/.*(?<!\.test)\.ts$/).flatMap((file) =>
    [...read(file).matchAll(PROBLEM)].flatMap(([, ...names]) => names.find((name) => name) ?? []),
  )
  const texts = read('functions/web/ui/texts/problems.texts.ts')
  const worded = [...texts.matchAll(/^ {6}'?([\w-]+)'?:/gm)].map(([, code]) => code!)
  expect(worded).toEqual(expect.arrayContaining(['forbidden', 'internal-error']))
  expect(worded.filter((code) => !defined.includes(code))).toEqual([])
})

describe('events', () => {
  test('a contract is in the file named after its type, and its example is valid', () => {
    const ajv = createAjv('body')
    for (const contract of allContracts) {
      expect(basename(contract.file, '.ts')).toBe(contract.type)
      expect(contract.type).toMatch(/^[a-z]+\.[a-z-]+$/)
      const valid = ajv.validate(contract.schema as object, contract.example)
      expect([contract.type, valid, ajv.errors]).toEqual([contract.type, true, null])
    }
  })

  test('each contract is published as an EventType, and each EventType has a contract', () => {
    const published = manifests('EventType').map(({ spec, metadata }) => ({ name: metadata.name, ...spec }))
    expect(published.sort((a, b) => a.name.localeCompare(b.name))).toEqual(
      allContracts
        .map((contract) => ({
          name: contract.type,
          type: contract.type,
          source: sourceOf(contract),
          schema: dataschemaOf(contract),
          description: contract.description,
          reference: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' },
        }))
        .sort((a, b) => a.name.localeCompare(b.name)),
    )
  })

  /** Returns the types of events that a Trigger delivers, all of their events or some: of any attribute that
   * no group tells, such as `transactiontype`, some event of the type has the value. */
  const deliveredBy = ({ spec: { filter } }: Manifest): string[] => {
    const { type, ...others } = filter.attributes as Record<string, string>
    const groups = Object.entries(others).filter(([name]) => GROUP_ATTRIBUTES.includes(name))
    return allContracts
      .map((contract) => contract.type)
      .filter((each) => type === undefined || each === type)
      .filter((each) => {
        const told: Record<string, string> = { ...groupsOf(each), ...groupsByEvent(each) }
        return groups.every(([name, value]) => told[name] === value)
      })
  }

  test('a Trigger delivers to an operation that consumes all it delivers, with retries and a dead letter sink', () => {
    for (const trigger of triggers) {
      const { broker, subscriber, delivery } = trigger.spec
      const subscribed = allOperations.find(({ name }) => name === subscriber.ref.name)
      const consumed = subscribed?.consumes?.contracts
      if (!consumed || consumed === 'any')
        throw new Error(`${trigger.metadata.name} delivers to no operation that consumes contracts`)
      const delivered = deliveredBy(trigger)
      expect([trigger.metadata.name, delivered.length > 0]).toEqual([trigger.metadata.name, true])
      expect(consumed.map(({ type }) => type)).toEqual(expect.arrayContaining(delivered))
      expect([broker, subscriber.uri]).toEqual(['default', '/events'])
      expect(delivery).toMatchObject({
        backoffPolicy: 'exponential',
        deadLetterSink: { ref: { name: 'dead-letters' }, uri: '/events' },
      })
      expect(delivery.retry).toBeGreaterThan(0)
    }
  })

  test('the contract of an event declares every attribute that a Trigger filters by, and shows it in an example', () => {
    const ajv = createAjv('body')
    const { components } = asyncapiOf(allContracts, '1') as AsyncApi
    for (const { metadata, spec } of triggers)
      for (const type of deliveredBy({ spec })) {
        const { headers, examples } = components.messages[type]!
        for (const [name, value] of Object.entries(spec.filter.attributes as Record<string, string>)) {
          const declared = headers.properties[`ce-${name}`]
          const isAllowed = declared !== undefined && ajv.validate(declared, value)
          expect([metadata.name, type, name, isAllowed]).toEqual([metadata.name, type, name, true])
        }
        expect([type, ajv.validate(headers, examples[0]!.headers), ajv.errors]).toEqual([type, true, null])
      }
  })

  test('a dead letter’s Trigger follows from its consumer and its type', () => {
    const found = triggers.flatMap((trigger) =>
      deliveredBy(trigger).map((type) => [
        ...[trigger.metadata.name, type],
        triggerOf(`http://${trigger.spec.subscriber.ref.name}.bank.svc.cluster.local/events`, type),
      ]),
    )
    expect(found.filter(([trigger, , said]) => trigger !== said)).toEqual([])
  })

  test('each consumer gets each of its events once: from a Trigger, a PingSource, or as the dead letter sink', () => {
    const pinged = pingSources.map(({ spec }) => spec.sink.ref.name as string)
    for (const { name, consumes } of allOperations) {
      if (!consumes) continue
      if (consumes.contracts === 'any') expect([...pinged, 'dead-letters']).toContain(name)
      else {
        const types = triggers.filter(({ spec }) => spec.subscriber.ref.name === name).flatMap(deliveredBy)
        expect([name, types.sort()]).toEqual([name, consumes.contracts.map(({ type }) => type).sort()])
      }
    }
  })

  test('a group has only types that have a contract, and a Trigger', () => {
    for (const attribute of GROUP_ATTRIBUTES) {
      const filtering = triggers.filter(({ spec }) => attribute in spec.filter.attributes)
      expect([attribute, filtering.length]).toEqual([attribute, 1])
    }
    const known = allContracts.map(({ type }) => type)
    const types = [...groupedTypes, ...typesGroupedByEvent]
    expect(types.filter((type) => !known.includes(type))).toEqual([])
    // One is the rule, the other its exception.
    for (const type of typesGroupedByEvent)
      expect([type, Object.keys(groupsByEvent(type)).filter((name) => name in groupsOf(type))]).toEqual([
        type,
        [],
      ])
  })
})
