/** The names of the fields that a line of a log may have, besides time, level and message. The compiler
 * refuses any other: a name means one thing in all logs, and nobody adds a person's data in passing. */
export type FieldName =
  | ProcessField
  | RequestField
  | EventField
  | FailureField
  | SubjectField
  | CountField
  | DurationField

type ProcessField = 'service' | 'revision' | 'instance' | 'pid' | 'ports' | 'context'

type RequestField = 'trace_id' | 'method' | 'handler' | 'status' | 'host' | 'policy'

type EventField = 'event_id' | 'event_type' | 'attributes' | 'attempt' | 'route' | 'queue' | 'pingsource'

type FailureField =
  | 'error'
  | 'sqlstate'
  | 'stack'
  | 'cause'
  | 'reason'
  | 'why'
  | 'code'
  | 'outcome'
  | 'dispute'

/** What the line is about. An id is not a person's data. */
type SubjectField =
  | 'transaction_id'
  | 'user_id'
  | 'message_id'
  | 'payment_id'
  | 'order_id'
  | 'payout_id'
  | 'redrive_id'
  | 'transfer_id'
  | 'document'
  | 'file'
  | 'seal'
  | 'stop'
  | 'currency'
  | 'check'
  | 'job'
  | 'name'

/** Numbers of things, or lists of their ids. */
type CountField =
  | 'count'
  | 'left_out'
  | 'events'
  | 'attempts'
  | 'data_bytes'
  | 'requests'
  | 'from'
  | 'to'
  | 'spans'
  | 'migrations'
  | 'files'
  | 'accounts'
  | 'holds'
  | 'stuck'
  | 'leaves'
  | 'orders'
  | 'runs'
  | 'woken'
  | 'forgotten'
  | 'facts'

type DurationField = 'milliseconds' | 'wait_ms' | 'share_ms' | 'duration_ms'
