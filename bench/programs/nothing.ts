import { operation, route } from '../../functions/host/operation.ts'

const body = {
  type: 'object',
  additionalProperties: false,
  required: ['account_id', 'amount'],
  properties: { account_id: { type: 'string', maxLength: 36 }, amount: { type: 'string', maxLength: 40 } },
} as const

/** A function that does only what the host does for each function: it answers the body that the host has
 * validated. */
export default operation({
  name: 'nothing',
  context: 'web',
  summary: 'Answers what it was sent',
  routes: [
    route({
      method: 'POST',
      path: '/nothing',
      who: 'anyone',
      summary: 'Nothing',
      audits: { nothing: 'it changes nothing' },
      body,
      answers: { 200: body },
      handle: async (request) => ({ status: 200, body: request.body }),
    }),
  ],
})
