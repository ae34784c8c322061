import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'

export interface WebhookQueued {
  web_hook_id: Uuid
}

export const webhookQueued: EventContract<WebhookQueued> = {
  type: 'webhook.queued',
  version: 1,
  context: 'payments',
  description: 'Something waits to be posted to a web hook.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['web_hook_id'],
    properties: { web_hook_id: uuid },
  },
  example: { web_hook_id: '01936f0d-11d2-7b1a-a1a4-2f0f6a1c9b55' },
}
