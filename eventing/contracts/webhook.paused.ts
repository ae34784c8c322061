import type { EventContract } from './contract.ts'
import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface WebhookPaused {
  web_hook_id: Uuid
  /** The owner of the hook. */
  user_id: Uuid
  /** The host that its URL names. The rest of the URL may be secret. */
  host: string
  /** `gone`: it answered 410. `failing`: nothing has reached it for days. */
  reason: 'gone' | 'failing'
  timestamp: Timestamp
}

export const webhookPaused: EventContract<WebhookPaused> = {
  type: 'webhook.paused',
  version: 1,
  context: 'payments',
  description:
    'The bank paused a web hook that could not be reached. It gets nothing until its owner resumes it.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['web_hook_id', 'user_id', 'host', 'reason', 'timestamp'],
    properties: {
      web_hook_id: uuid,
      user_id: uuid,
      host: text,
      reason: { enum: ['gone', 'failing'] },
      timestamp,
    },
  },
  example: {
    web_hook_id: '01936f0d-11d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    host: 'hooks.example.com',
    reason: 'failing',
    timestamp: '2026-02-03T10:15:00.000Z',
  },
}
