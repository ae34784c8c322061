import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Parser } from '@asyncapi/parser'
import type { EventContract } from '../eventing/contracts/contract.ts'
import { catalogueOf } from '../functions/host/catalogue.ts'
import type { Operation } from '../functions/host/operation.ts'
import { contracts, operations, read, ROOT } from './support/repository.ts'

/** The contract: functions/web/openapi.json and asyncapi.json, which `npm run openapi` writes.
 * tests/repository.test.ts holds that they are up to date. */

interface OpenApi {
  paths: Record<string, Record<string, { operationId: string; tags: string[]; responses: object }>>
  tags: { name: string }[]
}

const openapi = JSON.parse(read('functions/web/openapi.json')) as OpenApi
const asyncapi = JSON.parse(read('functions/web/asyncapi.json')) as { channels: object }

let allOperations: Operation[]
let allContracts: EventContract[]

beforeAll(async () => {
  allOperations = (await operations()).map(({ file: _, ...operation }) => operation)
  allContracts = (await contracts()).map(({ file: _, ...contract }) => contract)
})

test('the documents have every route that the front door serves, and no other', () => {
  const listed = Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const onlyForContexts = allOperations.flatMap(({ routes = [] }) =>
    routes.filter(({ who }) => who === 'contexts').map(({ method, path }) => `${method} /api${path}`),
  )
  const forwarded = catalogueOf(allOperations).flatMap(({ routes }) =>
    routes.map(({ method, path }) => `${method} ${path.startsWith('/.well-known/') ? '' : '/api'}${path}`),
  )
  const own = allOperations.flatMap(({ ownRoutes = [] }) =>
    ownRoutes.map(({ method, path }) => `${method} ${path}`),
  )
  const served = new Set([...forwarded, ...own].filter((address) => !onlyForContexts.includes(address)))
  expect(listed.sort()).toEqual([...served].sort())
})

test('the documents have every event', () => {
  expect(Object.keys(asyncapi.channels).sort()).toEqual(allContracts.map(({ type }) => type).sort())
})

test('they tell what a value is, not how the bank keeps it', () => {
  expect(JSON.stringify([openapi, asyncapi])).not.toMatch(/"x-(personal|secret|contract)"/)
})

test('what is dear has a quota, and the guide says which, with the value that is configured', () => {
  const dear = allOperations.flatMap(({ routes = [] }) =>
    routes.flatMap(({ method, path, rate }) => (rate ? [{ ...rate, route: `${method} ${path}` }] : [])),
  )
  expect(dear.map(({ policy, route }) => [policy, route]).sort()).toEqual([
    ['payees', 'GET /payees'],
    ['sign-in', 'POST /auth/login'],
    ['sign-in', 'POST /auth/login/code'],
    ['sign-in', 'POST /auth/password-resets'],
    ['sign-in', 'POST /auth/password-resets/confirm'],
    ['sign-in', 'POST /auth/register'],
    ['statements', 'GET /accounts/{id}/statement'],
    ['uploads', 'POST /media/upload'],
  ])
  const told = read('docs/front-door.md').matchAll(/^\| `([\w-]+)` .*\| `(\w+_RATE)` +\| `([\d/]+)` +\|$/gm)
  const rows = [...told].map(([, policy, setting, value]) => [policy, setting, value])
  const configured = [...read('knative/config.yaml').matchAll(/^ {2}(\w+_RATE): (.+)$/gm)]
  expect(rows.map(([, ...row]) => row).sort()).toEqual(configured.map(([, ...row]) => row).sort())
  // The front door holds the other two by itself (functions/web/reception.ts).
  const own = ['requests', 'hooks']
  const declared = new Set(dear.map(({ policy, quota }) => `${policy} ${quota}`))
  expect(
    rows
      .filter(([policy]) => !own.includes(policy!))
      .map(([policy, setting]) => `${policy} ${setting}`)
      .sort(),
  ).toEqual([...declared].sort())
})

test('redocly finds nothing to say about the OpenAPI document', async () => {
  const linter = join(ROOT, 'node_modules/@redocly/cli/bin/cli.js')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [linter, 'lint', 'functions/web/openapi.json', '--extends=recommended', '--format=json'],
    { cwd: ROOT, env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
  ).catch((failed: { stdout: string }) => failed)
  const { totals, problems } = JSON.parse(stdout) as { totals: object; problems: unknown[] }
  expect({ totals, problems }).toEqual({ totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] })
})

test('the parser of AsyncAPI takes the other one', async () => {
  const { document, diagnostics } = await new Parser().parse(read('functions/web/asyncapi.json'))
  expect(diagnostics).toEqual([])
  expect(document?.messages().length).toBe(allContracts.length)
})
