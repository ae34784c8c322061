import type { IncomingMessage, RequestListener } from 'node:http'
import { PROBLEM_JSON, problemDetails } from '../../../eventing/problem.ts'
import { readBody } from '../../../eventing/http-body.ts'
import { areLoopback } from '../gateway/loopback.ts'
import { hasSecret } from '../gateway/shared-secret.ts'
import type { Lab, LabParts, WantedRun } from './lab.ts'

export interface LabDoor {
  /** Answers the function `lab`, and nobody else. */
  handle: RequestListener
  /** Ends a run that goes on, and undoes its faults. */
  stop(): Promise<void>
}

export interface LabDoorOptions {
  /** The secret that the function sends. */
  key: string
  /** The addresses of the public port. */
  hosts: readonly string[]
  parts: LabParts
}

interface DoorAnswer {
  status: number
  body: object
}

const BODY_BYTES_MAX = 64 * 1024

/**
 * Opens the way to the lab on the gateway between the bank's parts. It asks for the secret of the function
 * `lab`, which only operators may call. A bank that other machines can reach has no lab.
 *
 * The lab itself is loaded at the first request: a bank whose lab nobody uses pays nothing for it.
 */
export function openLabDoor({ key, hosts, parts }: LabDoorOptions): LabDoor {
  const isHere = areLoopback(hosts)
  let loaded: Promise<Lab> | undefined
  const load = (): Promise<Lab> =>
    (loaded ??= import('./lab.ts')
      .then(({ Lab: LoadedLab }) => new LoadedLab(parts))
      .catch((error: Error) => {
        // The next request tries again: the folder of the runs may be readable then.
        loaded = undefined
        throw error
      }))

  async function answer(request: IncomingMessage): Promise<DoorAnswer> {
    if (!hasSecret(request, key))
      return problem(401, 'unauthenticated', 'This needs the secret of the function lab.')
    if (!isHere) return problem(403, 'open-to-network', 'The bank can be reached from other machines.')
    const lab = await load()
    const [, id] = /^\/lab\/runs\/([0-9a-f-]{36})$/.exec(request.url ?? '') ?? []
    const asked = `${request.method} ${id === undefined ? request.url : '/lab/runs/{id}'}`
    switch (asked) {
      case 'GET /lab':
        return {
          status: 200,
          body: { functions: [...parts.world.services.keys()].sort(), runs: lab.list() },
        }
      case 'POST /lab/runs': {
        const started = await lab.start(await readWanted(request))
        if (started.kind === 'busy') return { status: 409, body: started.run }
        if (started.kind === 'impossible') return { status: 422, body: started }
        return { status: 201, body: started.run }
      }
      case 'GET /lab/runs/{id}':
        return found(lab.find(id!))
      case 'DELETE /lab/runs/{id}':
        return found(lab.stop(id!))
      default:
        return problem(404, 'not-found', 'There is nothing here.')
    }
  }

  return {
    handle(request, response) {
      void answer(request)
        .catch((error: Error) => problem(500, 'internal', error.message))
        .then(({ status, body }) =>
          response
            .writeHead(status, { 'content-type': status >= 400 ? PROBLEM_JSON : 'application/json' })
            .end(JSON.stringify(body)),
        )
    },
    stop: async () => (await loaded)?.close(),
  }
}

const found = (run: object | undefined): DoorAnswer =>
  run ? { status: 200, body: run } : problem(404, 'not-found', 'There is no such run.')

async function readWanted(request: IncomingMessage): Promise<WantedRun> {
  const body = await readBody(request, { bytesMax: BODY_BYTES_MAX })
  return JSON.parse(body.toString()) as WantedRun
}

const problem = (status: number, name: string, detail: string): DoorAnswer => ({
  status,
  body: problemDetails({ name, status, title: 'The lab says no' }, detail),
})
