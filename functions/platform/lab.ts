import { located } from '../host/answer-of.ts'
import { operation, route } from '../host/operation.ts'
import { define, problem, problems, type FieldError } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import { idParams } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'
import {
  completeFault,
  FaultError,
  faultFigures,
  faultKinds,
  faultRules,
  faultSchema,
  type GivenFault,
} from './lab/faults.ts'
import { reportOf } from './lab/report.ts'
import {
  FAULTS_MAX,
  runSchema,
  runSummarySchema,
  SECONDS_MAX,
  seedSchema,
  trafficSchema,
  type LabRun,
} from './lab/run-schema.ts'
import { askLab, whyNoLab, type LabAnswer } from './lab/runtime-lab.ts'
import { scenarioNames, scenarioOf, scenarios } from './lab/scenarios.ts'

const refusals = {
  off: define('lab-off', 409, 'There is no lab here'),
  busy: define('lab-busy', 409, 'A run is going on'),
  impossible: define('fault-not-possible', 422, 'This bank cannot have the fault'),
}

const labSchema = {
  title: 'Lab',
  type: 'object',
  additionalProperties: false,
  required: ['available', 'why_not', 'scenarios', 'faults', 'functions', 'runs'],
  properties: {
    available: { type: 'boolean' },
    why_not: {
      enum: ['cluster', 'open-to-network', null],
      description: 'cluster: it is not on a laptop; open-to-network: other machines reach the bank.',
    },
    scenarios: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'hypothesis', 'faults', 'traffic', 'seconds'],
        properties: {
          name: { enum: scenarioNames },
          hypothesis: { type: 'string' },
          faults: { type: 'array', items: faultSchema },
          traffic: trafficSchema,
          seconds: { type: 'integer' },
        },
      },
    },
    faults: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['kind', 'of_function', 'figures'],
        properties: {
          kind: { enum: faultKinds },
          of_function: { type: 'boolean', description: 'Whether it may name a function.' },
          figures: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['name', 'min', 'max', 'usual'],
              properties: {
                name: { enum: faultFigures },
                min: { type: 'integer' },
                max: { type: 'integer' },
                usual: { type: 'integer' },
              },
            },
          },
        },
      },
    },
    functions: { type: 'array', items: { type: 'string' }, description: 'What can be killed.' },
    runs: { type: 'array', items: runSummarySchema, description: 'The last runs, the newest first.' },
  },
} as const

const runBody = {
  title: 'LabRunRequest',
  type: 'object',
  additionalProperties: false,
  properties: {
    scenario: { enum: scenarioNames, description: 'What it says holds where the request says nothing.' },
    faults: { type: 'array', maxItems: FAULTS_MAX, items: faultSchema },
    traffic: trafficSchema,
    seconds: {
      type: 'integer',
      minimum: 1,
      maximum: SECONDS_MAX,
      description: 'Until all faults are undone.',
    },
    seed: { ...seedSchema, description: 'Decides what is hit, and when. Without it, one is drawn.' },
  },
} as const

interface RunRequest {
  scenario?: LabRun['scenario']
  faults?: GivenFault[]
  traffic?: LabRun['traffic']
  seconds?: number
  seed?: number
}

const USUAL = { perSecond: 10, seconds: 30 }
const keptWithRun = {
  nothing: 'the run keeps who has begun it; it touches only customers of its own',
} as const
const nobodysData = { nothing: 'it shows no customer’s data' } as const

/** Breaks the bank on a laptop, and shows what is left of it. Elsewhere it says that there is no lab. */
export default operation({
  name: 'lab',
  context: 'platform',
  summary: 'Breaks the bank on a laptop by a seed, under traffic, and proves the invariants',
  routes: [
    route({
      method: 'GET',
      path: '/lab',
      who: 'operator',
      audits: nobodysData,
      summary: 'The scenarios and faults of the lab, and its last runs',
      answers: { 200: labSchema },
      async handle(_request, tools) {
        const asked = whyNoLab(tools) ? undefined : await askLab(tools, 'GET', '')
        const isHere = asked?.status === 200
        const body = {
          ...{ available: isHere, why_not: isHere ? null : (whyNoLab(tools) ?? 'open-to-network') },
          ...{ scenarios: scenarios.map(shownScenario), faults: faultKinds.map(shownFault) },
          ...(isHere ? (asked.body as object) : { functions: [], runs: [] }),
        }
        return { status: 200, body }
      },
    }),
    route({
      method: 'POST',
      path: '/lab/runs',
      who: 'operator',
      audits: keptWithRun,
      summary: 'Begins a run: traffic and faults. One at a time',
      operationId: 'startLabRun',
      body: runBody,
      answers: { 201: located(runSchema) },
      problems: [refusals.off, refusals.busy, refusals.impossible],
      async handle({ body, caller }, tools) {
        const wanted = wantedOf(body as RunRequest)
        if ('errors' in wanted) return problem(problems.invalidInput, 'A fault is not valid.', wanted)
        return answering(tools, 'POST', '/runs', toStarted, { ...wanted, started_by: caller.userId })
      },
    }),
    route({
      method: 'GET',
      path: '/lab/runs/{id}',
      who: 'operator',
      audits: nobodysData,
      summary: 'A run: what it has done so far, and the invariants',
      params: idParams,
      operationId: 'readLabRun',
      answers: { 200: runSchema },
      problems: [problems.notFound, refusals.off],
      handle: ({ params: { id } }, tools) => answering(tools, 'GET', `/runs/${id}`, toRun),
    }),
    route({
      method: 'DELETE',
      path: '/lab/runs/{id}',
      who: 'operator',
      audits: keptWithRun,
      summary: 'Stops a run: all its faults are undone before the answer. It is judged then',
      params: idParams,
      operationId: 'stopLabRun',
      answers: { 200: runSchema },
      problems: [problems.notFound, refusals.off],
      handle: ({ params: { id } }, tools) => answering(tools, 'DELETE', `/runs/${id}`, toRun),
    }),
    route({
      method: 'GET',
      path: '/lab/runs/{id}/report',
      who: 'operator',
      audits: nobodysData,
      summary: 'The report of a run, with its seed and commit',
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { format: { enum: ['markdown', 'json'] } },
      },
      operationId: 'readLabReport',
      answers: {
        200: {
          content: { 'text/markdown': { type: 'string' }, 'application/json': runSchema },
          headers: ['Content-Disposition'],
        },
      },
      problems: [problems.notFound, refusals.off],
      handle: ({ params: { id }, query: { format = 'markdown' } }, tools) =>
        answering(tools, 'GET', `/runs/${id}`, (answer) => toReport(answer, format)),
    }),
  ],
})

/** Asks the lab, if there is one. */
async function answering(
  tools: Tools,
  method: string,
  path: string,
  toReply: (answer: LabAnswer) => Reply,
  body?: object,
): Promise<Reply> {
  const off = (): Reply => problem(refusals.off, 'GET /api/lab says why.')
  if (whyNoLab(tools)) return off()
  const answer = await askLab(tools, method, path, body)
  return answer.status === 403 ? off() : toReply(answer)
}

function toStarted({ status, body }: LabAnswer): Reply {
  if (status === 409) return problem(refusals.busy, `Run ${(body as LabRun).id} is going on. Stop it first.`)
  if (status === 422) {
    const { index, why } = body as { index: number; why: string }
    return problem(refusals.impossible, why, { errors: [{ path: `/faults/${index}`, message: why }] })
  }
  return { status: 201, headers: { location: `/api/lab/runs/${(body as LabRun).id}` }, body }
}

const toRun = ({ status, body }: LabAnswer): Reply =>
  status === 404 ? problem(problems.notFound, 'There is no such run.') : { status: 200, body }

function toReport(answer: LabAnswer, format: 'markdown' | 'json'): Reply {
  const { status, body } = toRun(answer)
  if (status !== 200) return toRun(answer)
  const run = body as LabRun
  const [mediaType, extension, text] =
    format === 'json'
      ? ['application/json', 'json', `${JSON.stringify(run, undefined, 2)}\n`]
      : ['text/markdown; charset=utf-8', 'md', reportOf(run)]
  const disposition = `attachment; filename="lab-${run.seed}-${run.id}.${extension}"`
  return { status: 200, text, headers: { 'content-type': mediaType, 'content-disposition': disposition } }
}

/** Returns a run as the runtime takes it, or what is wrong with its faults. */
function wantedOf({ scenario = null, faults, traffic, seconds, seed }: RunRequest) {
  const usual = scenario === null ? undefined : scenarioOf(scenario)
  const errors: FieldError[] = []
  const complete = (faults ?? usual?.faults ?? []).flatMap((fault, index) => {
    try {
      return [completeFault(fault)]
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
      errors.push({ path: `/faults/${index}${error.path}`, message: error.message })
      return []
    }
  })
  if (errors.length > 0) return { errors }
  return {
    ...{ scenario, faults: complete, ...(seed !== undefined && { seed }) },
    traffic: traffic ?? { per_second: usual?.perSecond ?? USUAL.perSecond },
    seconds: seconds ?? usual?.seconds ?? USUAL.seconds,
  }
}

const shownScenario = ({ name, hypothesis, faults, perSecond, seconds }: (typeof scenarios)[number]) => ({
  ...{ name, hypothesis, faults, seconds },
  traffic: { per_second: perSecond },
})

function shownFault(kind: (typeof faultKinds)[number]) {
  const rule = faultRules[kind]
  const figures = Object.entries(rule.figures).map(([name, bounds]) => ({ name, ...bounds }))
  return { kind, of_function: rule.function !== 'none', figures }
}
