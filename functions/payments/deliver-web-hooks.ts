import { webhookQueued, type WebhookQueued } from '../../eventing/contracts/webhook.queued.ts'
import { operation } from '../host/operation.ts'
import { deliverTo } from './web-hooks/attempts.ts'

/** Posts to web hooks. The event only says that something is due; what is due, and since when, is in the
 * database. So an event that comes twice, late or never does no harm: a sweep sends another. */
export default operation({
  name: 'deliver-web-hooks',
  context: 'payments',
  summary: 'Posts to web hooks what is due for them',
  needs: ['WEB_HOOK_KEY'],
  consumes: {
    contracts: [webhookQueued],
    receive(event, tools, _state, { traceparent }) {
      return deliverTo((event.data as WebhookQueued).web_hook_id, tools, traceparent)
    },
  },
})
