import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { signedHeaders } from '../web-hooks/secret.ts'
import { isMagic, toSandbox, type SandboxRow } from './sandbox-transfer.ts'

const ANSWER_MS_MAX = 10_000

/** Sends the web hooks of a transfer that has ended, as badly as real providers do: each twice, and the one
 * that says it is pending after the one that says what it came to. Throws an UnavailableError unless the
 * bank takes them all; then all are sent again, with the same ids. */
export async function sendHooks(
  row: SandboxRow,
  { send, config }: Pick<Tools, 'send' | 'config'>,
  traceparent: string,
): Promise<void> {
  const [secret] = config.SANDBOX_HOOK_SECRETS
  if (secret === undefined) throw new Error('SANDBOX_HOOK_SECRETS is not set')
  const told = isMagic(row.amount, 'otherAmount') ? row.amount + 1n : row.amount
  const states: SandboxRow['state'][] = [row.state, 'pending']
  if (isMagic(row.amount, 'failsAfterSettled')) states.push('failed')
  for (const state of [...states, ...states]) {
    const data = toSandbox(row, state, told)
    const body = JSON.stringify({ type: `transfer.${state}`, timestamp: new Date().toISOString(), data })
    const timestamp = Math.floor(Date.now() / 1000)
    const id = `${data.id}_${state}`
    const { status } = await send({
      url: `http://front-door.${config.SERVICE_DOMAIN}/api/providers/sandbox/hooks`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'sandbox-provider',
        traceparent,
        ...signedHeaders({ id, timestamp, body }, [secret]),
      },
      body,
      timeoutMs: ANSWER_MS_MAX,
    })
    if (status < 200 || status > 299)
      throw new UnavailableError(`the bank answered a web hook with ${status}`)
  }
}
