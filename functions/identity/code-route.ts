import { createHash, timingSafeEqual } from 'node:crypto'
import type { Config } from '../host/config.ts'
import { credentialSchemas } from '../host/credentials.ts'
import { route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { deviceOf } from './device.ts'
import { findFirstOperator } from './first-operator.ts'
import { identityProblems, linkNotValid } from './refusals.ts'
import {
  aboutSession,
  emitStarted,
  endsIdleSchema,
  startSession,
  tokensReply,
  tokensSchema,
} from './sessions.ts'
import { signInRate } from './sign-in-rate.ts'

/** Starts a session of the first operator with the code of the link that `npm start` printed: once, for some
 * minutes, and only on a laptop. */
export const codeRoute = route({
  method: 'POST',
  path: '/auth/login/code',
  who: 'anyone',
  summary: 'Log in with the code of the link that the start of a bank on a laptop printed',
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['code'],
    properties: {
      code: credentialSchemas.code,
      ends_idle: endsIdleSchema,
    },
  },
  answers: { 200: tokensSchema },
  problems: [identityProblems.linkNotValid, problems.tooManyRequests],
  rate: signInRate,
  handle: async ({ body, address, header, traceparent }, tools) => {
    const codeHash = createHash('sha256').update(body.code).digest()
    if (!isCode(codeHash, tools.config)) return linkNotValid()
    const operator = await findFirstOperator(traceparent, tools)
    if (!operator) return linkNotValid()
    const { session } = await tools.transact(traceparent, async (tx) => {
      const begun = { ...deviceOf(header('user-agent')), endsIdle: body.ends_idle, codeHash }
      const session = await startSession(tx, operator, begun)
      if (!session) return {}
      emitStarted(tx, session, address)
      return { session, about: aboutSession(session) }
    })
    return session ? tokensReply(session, tools.config.JWT_SIGNING_KEY) : linkNotValid()
  },
})

/** Whether it is the code of this start, and still good. A cluster has a gateway of its own, so no code is
 * good there, whatever its environment says. */
function isCode(codeHash: Buffer, { SIGN_IN_CODE: known, LOCAL_GATEWAY }: Config): boolean {
  if (!known || !LOCAL_GATEWAY || Date.now() >= known.expiresAtMs) return false
  return timingSafeEqual(known.hash, codeHash)
}
