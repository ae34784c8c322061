import type { Infer } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'
import { askRuntime } from './ask-runtime.ts'
import type { PlatformView } from './platform-view.ts'
import { isLocal } from './runtime-report.ts'

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type LogLevel = (typeof LEVELS)[number]

const text = { type: 'string' } as const

export const functionLogSchema = {
  title: 'FunctionLog',
  type: 'object',
  required: ['lines', 'has_older', 'command'],
  properties: {
    lines: {
      type: ['array', 'null'],
      description: 'The last lines, the oldest first. Null on a cluster, where `command` shows them.',
      items: {
        title: 'LogLine',
        type: 'object',
        required: ['at', 'level', 'message', 'trace_id', 'fields'],
        properties: {
          at: { type: ['string', 'null'], format: 'date-time' },
          level: { enum: LEVELS },
          message: text,
          trace_id: { type: ['string', 'null'] },
          fields: { type: 'object', description: 'What else the line says.' },
        },
      },
    },
    has_older: { type: 'boolean', description: 'Whether the log may have older lines of this level.' },
    command: { ...text, description: 'What shows the log in a terminal.' },
  },
} as const

type ShownLog = Infer<typeof functionLogSchema>
type ShownLine = NonNullable<ShownLog['lines']>[number]

interface LinesReport {
  lines: { atMs: number; text: string }[]
  hasOlder: boolean
}

export interface AskedLines {
  level: LogLevel
  limit: number
}

/** Reads the last lines of a function's log, of `level` or above. Resolves with undefined if there is no such
 * function; rejects with an UnavailableError if what knows it does not answer. */
export async function readFunctionLog(
  tools: Pick<Tools, 'send' | 'config'>,
  { kubernetes }: Pick<PlatformView, 'kubernetes'>,
  name: string,
  { level, limit }: AskedLines,
): Promise<ShownLog | undefined> {
  if (isLocal(tools)) {
    const query = new URLSearchParams({ service: name, level, limit: String(limit) })
    const report = await askRuntime<LinesReport>(tools, `/logs?${query}`)
    if (!report) return undefined
    const command = `npm run logs -- --service ${name}`
    return { lines: report.lines.map(lineOf), has_older: report.hasOlder, command }
  }
  const { items } = await kubernetes.list('services')
  if (!items.some(({ metadata }) => metadata.name === name)) return undefined
  const which = `--namespace ${kubernetes.namespace} --selector serving.knative.dev/service=${name}`
  const command = `kubectl logs ${which} --container user-container --tail ${limit}`
  return { lines: null, has_older: false, command }
}

/** Functions log JSON. Any other line comes from Node itself, or was cut short, and counts as a warning. */
function lineOf({ atMs, text: line }: LinesReport['lines'][number]): ShownLine {
  const { time, level, message, trace_id, service, ...fields } = fieldsOf(line)
  void time
  void service
  return {
    at: atMs > 0 ? new Date(atMs).toISOString() : null,
    level: LEVELS.find((known) => known === level) ?? 'warn',
    message: typeof message === 'string' ? message : line,
    trace_id: typeof trace_id === 'string' ? trace_id : null,
    fields,
  }
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
