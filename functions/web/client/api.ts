// Written by `npm run openapi` from openapi.json. Don't change it by hand.

/** Answers of these calls are no JSON; read them with raw(). */
export type NotJson = { readonly notJson: never }

export type Account = {
  id: string
  user_id: string
  number: string
  name: string | null
  account_type: 'checking' | 'savings'
  currency: string
  status: 'open' | 'frozen' | 'closed'
  balance: string
  held: string
  available: string
  overdraft_limit: string
  created_at: string
}

export type AccountChange = {
  id: string
  timestamp: string
  by: 'owner' | 'bank'
  user_id: string | null
  field: 'status' | 'overdraft_limit'
  from: string
  to: string
  reason: string | null
}

export type AccountChangePage = {
  items: AccountChange[]
  next_cursor: string | null
}

export type AccountPage = {
  items: Account[]
  next_cursor: string | null
}

export type AnsweredPanel = {
  kind: 'timeseries' | 'heatmap' | 'stat' | 'gauge' | 'table' | 'piechart'
  title: string
  about: string | null
  /** As Grafana calls it. */
  unit: string
  /** From which value on a figure has which colour, the lowest first. The first has no value. */
  colours: {
    colour: 'green' | 'yellow' | 'red'
    from: number | null
  }[] | null
  min: number | null
  max: number | null
  /** Prometheus could not answer it in time. */
  failed: boolean
  /** The highest first. */
  series: PanelSeries[]
  /** Lower series that are not here. */
  left_out: number
}

export type AuditEntry = {
  id: string
  at: string
  context: 'identity' | 'ledger' | 'notifications' | 'payments' | 'documents'
  /** Who did it; null if nobody proved who they are. */
  caller_id: string | null
  /** Null if it is not known. */
  caller_role: string | null
  /** The context that asked on behalf of the caller. */
  via: string | null
  operation: string
  /** The route as declared; null if it is not known. */
  route: string | null
  /** Id of the thing. */
  subject: string | null
  /** Whose data it is. */
  owner_id: string | null
  /** Address of the client; null if unknown. */
  address: string | null
  /** Trace of the request: 32 digits. */
  trace_id: string | null
  outcome: string
  details: Record<string, unknown> | null
}

export type AuditEntryPage = {
  items: AuditEntry[]
  next_cursor: string | null
}

export type Balance = {
  balance: string
  available: string | null
  as_of: string
}

export type Batch = {
  results: ({
    status: 201
    transaction: Transaction
  } | {
    status: 404 | 409 | 422 | 424
    problem: {
      type: string
      title: string
      status: number
      detail: string
    }
  })[]
}

export type BatchedTransaction = {
  type: 'deposit' | 'withdrawal' | 'transfer'
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  metadata?: Record<string, string | number | boolean | null>
  to_account_id?: string
  value_date?: string
}

export type BookedEntry = {
  account_id: string
  version: number
  amount: string
  balance_after: string
  hash: string
  previous_hash: string | null
  /** Whether its hash follows from the entry before it. */
  is_chained: boolean
}

export type CancelPaymentRequest = {
  payment_id: string
}

export type CaptureHoldRequest = {
  to_account_id: string
  amount?: string | number
}

export type CaughtMail = {
  id: string
  at: string
  to: string
  subject: string
  from: string
  /** Its plain text, which all emails of the bank have. */
  text: string
  /** Whether it also has HTML: at the same path with /html. */
  has_html: boolean
  attachments: {
    name: string
    media_type: string
    bytes: number
  }[]
}

export type CaughtMailHead = {
  id: string
  at: string
  to: string
  subject: string
}

export type CaughtMails = {
  /** cluster: it is not on a laptop; open-to-network: other machines reach the bank; sent-on: mails go to a mail server, or nowhere. */
  why_not: 'cluster' | 'open-to-network' | 'sent-on' | null
  /** The newest, the newest first. */
  items: CaughtMailHead[]
  total: number
}

export type ChangeAccountRequest = {
  name?: string | null
  overdraft_limit?: string | number
  reason?: string
}

export type ChangeOrderRequest = {
  amount?: string | number
  description?: string
  schedule?: Schedule
  missed_runs?: 'each' | 'last'
}

export type ChangeUserRequest = {
  name?: string
  email?: string
  current_password?: string
}

export type ChangeWebhookRequest = {
  url?: string
  types?: string[]
  status?: 'active' | 'paused'
}

export type CloseAccountRequest = {
  reason?: string
}

/** The start of one process. `spawn_ms` and `port_open_ms` follow each other; their sum is `ready_ms`. `boot_ms` (Node itself) and `load_ms` (the function) are parts of `port_open_ms`, as the function reports them; `first_query_ms` is nearly always a part of `first_request_ms`. `idle_ms` lies between the open port and the first request. On a cluster only `ready_ms` is known, in whole seconds: from the pod’s creation until it was ready. */
export type ColdStart = {
  function: string
  started_at: string
  ready_ms: number | null
  spawn_ms: number | null
  port_open_ms: number | null
  boot_ms: number | null
  load_ms: number | null
  idle_ms: number | null
  first_request_ms: number | null
  first_query_ms: number | null
}

export type ColdStartHistogram = {
  function: string
  phase: 'spawn' | 'port-open' | 'boot' | 'load' | 'first-request' | 'first-query'
  counts: number[]
}

export type ColdStarts = {
  runtime: 'local' | 'cluster'
  /** What no function can be faster than: the median of three starts of a bare Node on this machine, until its port is open. Null on a cluster, and while it is being measured. */
  bare_node_ms: number | null
  /** The last 50, the newest first. */
  starts: ColdStart[]
  /** Upper bounds of the buckets. The last count of a histogram is of what is above them all. */
  bounds_ms: number[]
  /** All starts since the bank started. Null on a cluster, where the meter has them. */
  histograms: ColdStartHistogram[] | null
}

export type Cost = {
  requests: number
  /** Seconds of processes times gigabytes that they held. */
  gb_seconds: number
  process_ms: number
  cold_share: number
}

export type Counterparty = {
  number: string
  name: string | null
}

export type CreateAuthEmailConfirmRequest = {
  token: string
}

export type CreateAuthLoginCodeRequest = {
  code: string
  /** Whether an operator’s session ends if it is not continued for 15 minutes. The front door asks for it for browsers, which others may use after their operator. */
  ends_idle?: boolean
}

export type CreateAuthLoginRequest = {
  email: string
  password: string
  /** Whether an operator’s session ends if it is not continued for 15 minutes. The front door asks for it for browsers, which others may use after their operator. */
  ends_idle?: boolean
}

export type CreateAuthPasswordResetRequest = {
  email: string
}

export type CreateAuthPasswordResetsConfirmRequest = {
  token: string
  new_password: string
}

export type CreateFeesDryRunRequest = {
  currency: string
  type: 'deposit' | 'withdrawal' | 'transfer'
  rules: GivenFeeRules | null
  days?: number
}

export type CreateNotificationsPushSubscriptionRequest = {
  endpoint: string
  expirationTime?: number | null
  keys: {
    p256dh: string
    auth: string
  }
}

export type CreateNotificationsReadRequest = {
  /** Id of the newest one that was read. */
  up_to: string
}

export type CreateOrderRequest = {
  account_id: string
  to_account_id: string
  amount: string | number
  currency?: string
  description?: string
  payee_name?: string
  schedule: Schedule
  missed_runs?: 'each' | 'last'
}

export type CreateOrdersPreviewRequest = {
  schedule: Schedule
}

export type CreatePaymentRequest = {
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  payee_account_id?: string
  payee_email?: string
  return_url?: string
  expires_in?: number
}

export type CreatePaymentsTopUpCancelRequest = Record<string, never>

export type CreatePaymentsTopUpRequest = {
  account_id: string
  amount: string | number
  currency?: string
  description?: string
}

export type CreatePaymentsTopUpResolveRequest = {
  /** dismiss: it was settled outside the bank; what the ledger can never book becomes `failed`. book: ask the ledger to book it now. booked: the ledger has booked it, with `transaction_id`. */
  action: 'dismiss' | 'book' | 'booked'
  transaction_id?: string
  reason: string
}

export type CreatePaymentsWithdrawalCancelRequest = Record<string, never>

export type CreatePaymentsWithdrawalRequest = {
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  payee_name: string
  payee_account: string
}

export type CreatePaymentsWithdrawalResolveRequest = {
  /** dismiss: it was settled outside the bank; what the ledger can never book becomes `failed`. book: ask the ledger to book it now. booked: the ledger has booked it, with `transaction_id`. */
  action: 'dismiss' | 'book' | 'booked'
  transaction_id?: string
  reason: string
}

export type CreatePayoutRequest = {
  account_id: string
  items: {
    to_account_id?: string
    email?: string
    amount: string | number
    note?: string
  }[]
}

export type CreateUserRequest = {
  name: string
  email: string
}

export type CreateWebHookRequest = {
  url: string
  types: string[]
}

export type DashboardName = {
  uid: string
  title: string
  about: string
}

export type DashboardPicture = {
  /** no-monitor: on this laptop, no `npm run monitor` watches the bank; no-answer: the Prometheus that the settings name does not answer; not-set: they name none. */
  why_not: 'no-monitor' | 'no-answer' | 'not-set' | null
  dashboards: DashboardName[]
  dashboard: DashboardName
  from: string
  until: string
  step_seconds: number
  /** The functions that the dashboard can be limited to; null if none of its panels can be. */
  services: string[] | null
  panels: AnsweredPanel[]
}

export type DeadLetter = {
  id: string
  event_id: string
  event_type: string
  /** The event in the JSON format of CloudEvents. */
  event: Record<string, unknown>
  /** The Trigger whose consumer could not process it. */
  trigger: string
  /** All with this Trigger, type and error. */
  group_id: string
  /** The address of the consumer that could not process it. */
  destination: string
  /** Status of its last answer. */
  error_code: string | null
  /** Beginning of its last answer. */
  error_data: string | null
  /** Why the consumer could not process it; null if the Broker did not keep its answer. */
  reason: string | null
  /** Where to find the reason, if it is not here. */
  hint: string | null
  /** How often the Broker gave up on it. */
  deliveries: number
  /** `stored` is one that waits for somebody. */
  status: 'stored' | 'redriven' | 'discarded'
  created_at: string
  /** When the Broker last gave up on it. */
  last_at: string
  redriven_at: string | null
  /** When it last came after it was redriven; null if it never did. */
  came_back_at: string | null
  discarded_at: string | null
  discarded_by: string | null
  discard_reason: string | null
  /** The redrive that it waits for, or that sent it last. Null if it was sent alone. */
  redrive_id: string | null
  /** Whether it waits for that redrive. */
  is_queued: boolean
  /** Whether the context that its source names has signed it. */
  is_signed: boolean
}

export type DeadLetterGroup = {
  id: string
  trigger: string
  event_type: string
  error_code: string | null
  /** What the consumer said, without ids and figures; null if the Broker did not keep it. */
  error: string | null
  /** Letters that wait for somebody. */
  stored: number
  redriven: number
  discarded: number
  /** Those of the waiting that were redriven before. */
  came_back: number
  /** Letters without a signature of the bank that were not kept, because there were too many. */
  dropped: number
  first_at: string
  last_at: string
  /** The redrive of this group that runs. */
  redrive_id: string | null
}

export type DeadLetterGroupPage = {
  items: DeadLetterGroup[]
  next_cursor: string | null
}

export type DeadLetterOfEvent = {
  id: string
  event_type: string
  /** Of the `traceparent` that the event came with. */
  trace_id: string | null
  destination: string
  status: string
  error_code: string | null
  deliveries: number
  created_at: string
}

export type DeadLetterPage = {
  items: DeadLetter[]
  next_cursor: string | null
}

export type DeadLetterRedrive = {
  id: string
  /** Null if the letters were named. */
  group_id: string | null
  requested_by: string
  per_second: number
  status: 'running' | 'completed' | 'stopped'
  /** Letters that it was asked for. */
  total: number
  /** Published again. */
  sent: number
  /** Refused by the Broker, or never taken; they wait as before. */
  failed: number
  /** Of those sent, how often one came back. */
  came_back: number
  /** Still to be sent. */
  remaining: number
  created_at: string
  ended_at: string | null
}

export type DeadLetterRedrivePage = {
  items: DeadLetterRedrive[]
  next_cursor: string | null
}

export type DeliveredTrigger = {
  name: string
  broker: string
  ready: boolean
  reason: string | null
  /** All these attributes must be equal. */
  filter: Record<string, string>
  subscriber: string | null
  delivery: Delivery
  /** Events that wait or are being delivered; null if not known. */
  backlog: number | null
  dead_letters: number | null
  /** Attempts in each period of `period_seconds`, the oldest first. Null on a cluster. */
  rate: {
    delivered: number[]
    failed: number[]
  } | null
}

export type Deliveries = {
  runtime: 'local' | 'cluster'
  /** What carries the events on a laptop, and why. */
  queue: string | null
  period_seconds: number
  brokers: {
    name: string
    ready: boolean
    reason: string | null
  }[]
  triggers: DeliveredTrigger[]
}

/** How often an event is tried, with which pauses, and where it goes then. A pause is twice the one before it (`doubling`), or longer by the first one (`evenly`). */
export type Delivery = {
  tries: number
  first_pause_ms: number
  last_pause_ms: number
  grows: 'doubling' | 'evenly'
  /** Events that are delivered at the same time. */
  at_once: number
  dead_letter_sink: string | null
}

export type DemoCustomer = {
  /** Only a laptop’s own bank has one. */
  available: boolean
}

export type DepositRequest = {
  type: 'deposit'
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  metadata?: Record<string, string | number | boolean | null>
  value_date?: string
}

export type DiscardDeadLetterRequest = {
  reason: string
}

export type Document = {
  public_id: string
  user_id: string
  /** Whether an operator uploaded it for the customer. */
  by_bank: boolean
  document_type: 'upload' | 'statement'
  statement: {
    account_id: string
    from: string
    to: string
    format: 'pdf' | 'csv' | 'camt.053'
    seal: number | null
  } | null
  /** An image can be downloaded once it is ready; then its size and sha256 are other ones. */
  status: 'processing' | 'ready' | 'refused'
  /** Why it was refused. */
  reason: string | null
  file_name: string
  media_type: 'image/png' | 'image/jpeg' | 'image/webp' | 'application/pdf' | 'text/csv' | 'application/xml'
  /** In bytes. */
  size: number
  sha256: string
  /** In pixels; null if it is no image. */
  width: number | null
  height: number | null
  url: string
  thumbnail_url: string | null
  created_at: string
}

export type DocumentPage = {
  items: Document[]
  next_cursor: string | null
}

export type DryRun = {
  allowed: boolean
  refusal: string | null
  fee: string | null
  balance_after: string | null
  available_after: string | null
  limits: Room | null
}

export type DryRunRequest = {
  type: 'deposit' | 'withdrawal' | 'transfer'
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  metadata?: Record<string, string | number | boolean | null>
  to_account_id?: string
  value_date?: string
}

export type DueDate = {
  due_at: string
  /** The same on the clocks of the schedule’s time zone; of an order that runs once, in UTC. */
  local: string
}

export type Entry = {
  version: number
  amount: string
  balance_after: string
  currency: string
  hash: string
  previous_hash: string
  value_date: string
  timestamp: string
  transaction_id: string
  transaction_type: 'deposit' | 'withdrawal' | 'transfer' | 'reversal'
  description: string | null
  counterparty_account_id: string | null
  counterparty: Counterparty | null
}

export type EntryPage = {
  items: Entry[]
  next_cursor: string | null
}

export type EventDeadLetter = {
  id: string
  destination: string
  status: string
  error_code: string | null
  /** How often the Broker gave up on it. */
  deliveries: number
  created_at: string
}

export type EventDelivery = {
  trigger: string
  attempt: number
  at: string
  ms: number
  /** Of the answer; -1 if none came. */
  status: number | null
  error: string | null
  next_attempt_at: string | null
}

export type EventEffect = {
  /** Of the notification. */
  id: string
  user_id: string
  at: string
}

export type EventLife = {
  id: string
  source: string
  type: string | null
  subject: string | null
  time: string | null
  /** The transaction that it tells of. */
  transaction_id: string | null
  /** Null if the ledger has not stored it: another context has, or nobody. */
  stored: StoredEvent | null
  published: PublishedEvent
  trace_id: string | null
  traces: 'found' | 'none' | 'not-kept' | 'away'
  /** Every attempt of every Trigger, oldest first. Null without spans. */
  deliveries: EventDelivery[] | null
  /** Notifications that it has made. Null if nobody knows. */
  effects: EventEffect[] | null
  dead_letters: EventDeadLetter[] | null
}

export type ExecutePaymentRequest = {
  payment_id: string
}

export type Fee = {
  version: number
  currency: string
  type: 'deposit' | 'withdrawal' | 'transfer'
  rules: FeeRules | null
  valid_from: string
  set_by: string | null
  reason: string | null
}

export type FeeRules = {
  fixed: string
  percent: string
  minimum: string | null
  maximum: string | null
  tiers: {
    from: string
    fixed: string
    percent: string
    minimum: string | null
    maximum: string | null
  }[]
}

export type FeeTrial = {
  since: string
  transactions: number
  is_complete: boolean
  amount: string
  fees: string
  proposed_fees: string
  proposed_max: string
}

/** A request that fits its schema has none but those of `x-rules`: each has patterns of `path` and `message`. */
export type FieldError = {
  /** JSON pointer (RFC 6901) to what is wrong. */
  path: string
  /** What is wrong with it: a sentence without its subject. */
  message: string
}

export type FileStatementRequest = {
  account_id: string
  from: string
  to: string
  format?: 'pdf' | 'csv' | 'camt.053'
  user_id?: string
}

export type Finding = {
  /** Null: not checked yet. */
  ok: boolean | null
  checked_at: string | null
  figures: Record<string, unknown>
}

export type FreezeAccountRequest = {
  reason: string
}

export type FunctionLog = {
  /** The last lines, the oldest first. Null on a cluster, where `command` shows them. */
  lines: LogLine[] | null
  /** Whether the log may have older lines of this level. */
  has_older: boolean
  /** What shows the log in a terminal. */
  command: string
}

export type GivenFeeRules = {
  fixed?: string | number
  percent?: string | number
  minimum?: string | number | null
  maximum?: string | number | null
  tiers?: {
    from: string | number
    fixed?: string | number
    percent?: string | number
    minimum?: string | number | null
    maximum?: string | number | null
  }[]
}

export type Hold = {
  id: string
  account_id: string
  amount: string
  currency: string
  status: 'open' | 'captured' | 'released' | 'expired'
  description: string | null
  captured: string | null
  transaction_id: string | null
  placed_by: string | null
  via: string | null
  created_at: string
  expires_at: string
  ended_at: string | null
}

export type HoldPage = {
  items: Hold[]
  next_cursor: string | null
}

export type HoldProof = {
  account: string
  opening: {
    version: number
    hash: string
    held_minor: string
  }
  entries: {
    version: number
    hold_id: string
    status: 'open' | 'captured' | 'released' | 'expired'
    amount_minor: string
    held_after_minor: string
    captured_minor: string | null
    transaction_id: string | null
    created_at: string
  }[]
  leaf: {
    index: number
    version: number
    hash: string
  }
  path: string[]
  checkpoint: string
}

export type Hop = {
  kind: 'cold-start' | 'wait' | 'work' | 'call' | 'sql' | 'publish' | 'attempt'
  /** Where: a function, `<context>-db`, `broker`, or `trigger:<name>` for deliveries. */
  lane: string
  service: string
  name: string
  started_at: string
  /** Milliseconds after the first hop. */
  at_ms: number
  ms: number
  attempt: number | null
  status: number | null
  error: string | null
  next_attempt_at: string | null
  /** Of a cold start: from the start of Node to the open port. */
  boot_ms: number | null
  event_id: string | null
}

export type Invariant = {
  id: 'M' | 'N' | 'B'
  name: string
  /** Null: not checked yet. */
  ok: boolean | null
  checked_at: string | null
  /** How many accounts, or entries, were checked. */
  count: number
}

export type Invariants = {
  open_stops: number
  items: Invariant[]
}

export type Lab = {
  available: boolean
  /** cluster: it is not on a laptop; open-to-network: other machines reach the bank. */
  why_not: 'cluster' | 'open-to-network' | null
  scenarios: {
    name: 'killed-after-commit' | 'delivered-five-times' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event'
    hypothesis: string
    faults: LabFault[]
    traffic: LabTraffic
    seconds: number
  }[]
  faults: {
    kind: 'kill-function' | 'repeat-deliveries' | 'delay-deliveries' | 'drop-confirms' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event'
    /** Whether it may name a function. */
    of_function: boolean
    figures: {
      name: 'times' | 'every_ms' | 'ms' | 'percent' | 'seconds' | 'count'
      min: number
      max: number
      usual: number
    }[]
  }[]
  /** What can be killed. */
  functions: string[]
  /** The last runs, the newest first. */
  runs: LabRunSummary[]
}

export type LabBrokenSpot = {
  /** The name of a function; events, broker, rabbitmq or postgres. */
  place: string
  fault: 'kill-function' | 'repeat-deliveries' | 'delay-deliveries' | 'drop-confirms' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event'
  since: string
}

export type LabCounts = {
  /** Transactions that were answered as completed. */
  moved: number
  /** Transactions that the bank refused. */
  refused: number
  /** How often one was sent again with its key. */
  repeated: number
  /** Transactions whose outcome nobody learnt. */
  unanswered: number
  /** Deliveries of the events of these transactions to notify. */
  deliveries: number
  /** Messages that were stored for these events. */
  took_effect: number
  /** Events of these transactions that are dead letters. */
  dead_letters: number
  /** Answered transactions that are not in the books. */
  lost: number
  /** Transactions in the books that nobody was told of. */
  doubled: number
  /** Faults that were made. */
  faults: number
}

export type LabFault = {
  kind: 'kill-function' | 'repeat-deliveries' | 'delay-deliveries' | 'drop-confirms' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event'
  /** The function that is killed (without it, one at random), or that is slow. */
  function?: string
  /** How often: deliveries of each event, or kills of Postgres. */
  times?: number
  /** About how long after one kill the next one comes. */
  every_ms?: number
  /** How long a delivery waits at most, or a slow consumer always. */
  ms?: number
  /** The share of the confirms that get lost. */
  percent?: number
  /** How long RabbitMQ is away. */
  seconds?: number
  /** How many events nobody can process. */
  count?: number
}

export type LabInvariant = {
  id: 'money' | 'answers' | 'once' | 'keys' | 'events' | 'ledger' | 'poison'
  /** unknown: it could not be checked yet. */
  state: 'ok' | 'broken' | 'unknown'
  checked_at: string | null
  /** What the last check has found. */
  found: string
}

export type LabRun = {
  id: string
  state: 'preparing' | 'running' | 'settling' | 'ended'
  /** unproven: nothing moved, so nothing could break; none: the run ended before it could be judged. Null: it goes on. */
  verdict: 'green' | 'red' | 'unproven' | 'none' | null
  ended_by: 'time' | 'stop' | 'red' | 'failure' | 'bank' | null
  scenario: 'killed-after-commit' | 'delivered-five-times' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event' | null
  faults: LabFault[]
  traffic: LabTraffic
  seconds: number
  seed: number
  version: string
  /** Null if the bank runs outside a Git repository. */
  commit: string | null
  started_by: string
  created_at: string
  /** When traffic and faults began. */
  began_at: string | null
  ended_at: string | null
  counts: LabCounts
  invariants: LabInvariant[]
  broken_now: LabBrokenSpot[]
  /** The faults that were made, at most 500. */
  story: LabStoryLine[]
  evidence: string[]
}

export type LabRunRequest = {
  /** What it says holds where the request says nothing. */
  scenario?: 'killed-after-commit' | 'delivered-five-times' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event'
  faults?: LabFault[]
  traffic?: LabTraffic
  /** Until all faults are undone. */
  seconds?: number
  /** Decides what is hit, and when. Without it, one is drawn. */
  seed?: number
}

export type LabRunSummary = {
  id: string
  state: 'preparing' | 'running' | 'settling' | 'ended'
  /** unproven: nothing moved, so nothing could break; none: the run ended before it could be judged. Null: it goes on. */
  verdict: 'green' | 'red' | 'unproven' | 'none' | null
  ended_by: 'time' | 'stop' | 'red' | 'failure' | 'bank' | null
  scenario: 'killed-after-commit' | 'delivered-five-times' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event' | null
  traffic: LabTraffic
  seconds: number
  seed: number
  created_at: string
  /** When traffic and faults began. */
  began_at: string | null
  ended_at: string | null
}

export type LabStoryLine = {
  /** Milliseconds since the faults began. */
  at_ms: number
  fault: 'kill-function' | 'repeat-deliveries' | 'delay-deliveries' | 'drop-confirms' | 'rabbitmq-away' | 'postgres-killed' | 'slow-consumer' | 'poison-event'
  place: string
}

export type LabTraffic = {
  /** Transactions sent. */
  per_second: number
}

export type LedgerProofRun = {
  since: string
  /** Whether every check has ended since then. If not, ask again with the same `since`. */
  is_complete: boolean
}

export type LedgerStatus = {
  items: {
    currency: string
    status: 'running' | 'stopped'
    /** Null: not stopped. */
    since: string | null
    /** being-checked: a check of the books has found something; stopped-by-bank: an operator has stopped it. */
    reason: 'being-checked' | 'stopped-by-bank' | null
  }[]
}

export type Life = {
  transaction_id: string
  type: 'deposit' | 'withdrawal' | 'transfer' | 'reversal'
  status: 'completed' | 'pending' | 'rejected' | 'reversed'
  event_id: string | null
  /** Nothing more happens by itself, and all of it is here. */
  complete: boolean
  steps: LifeStep[]
  /** This and the following are for operators alone. */
  trace_id: string | null
  /** Spans were found; none were (not sampled, or forgotten); nothing keeps them here; what keeps them is away. */
  traces: 'found' | 'none' | 'not-kept' | 'away' | null
  summary: LifeSummary | null
  hops: Hop[] | null
  proof: LifeProof | null
  cost: Cost | null
}

export type LifeProof = {
  /** Of the sum and of all amounts of the entries. */
  currency: string
  entries: BookedEntry[]
  /** Of the entries: always zero. */
  sum: string
  /** Attempts to deliver its event; null without spans. */
  delivered: number | null
  /** Notifications that its event has made. Null if nobody knows. */
  took_effect: number | null
  dead_letters: string[] | null
}

export type LifeStep = {
  /** `told` is in the user’s list, `sent` is by email, text message or push message. */
  step: 'asked' | 'booked' | 'published' | 'told' | 'sent'
  state: 'done' | 'waiting' | 'failed' | 'unknown'
  at: string | null
  /** The refusal, or the channel. */
  detail: string | null
}

export type LifeSummary = {
  /** From the first hop to the last; without spans, from asked to told. */
  total_ms: number
  /** In which a function started. */
  waking_ms: number | null
  woken: string[]
  /** Of the statement that moves the money. */
  posting_ms: number | null
  /** From the posting to the notification. */
  told_ms: number | null
  /** As many as are listed: waits and cold starts are hops too. */
  hops: number | null
  retries: number | null
}

export type Limits = {
  account_id: string
  currency: string
  version: number | null
  valid_from: string | null
  time_zone: string | null
  transaction_max: string | null
  day_max: string | null
  month_max: string | null
  day_used: string | null
  day_remaining: string | null
  month_used: string | null
  month_remaining: string | null
  coming: {
    version: number
    valid_from: string
    transaction_max: string | null
    day_max: string | null
    month_max: string | null
  }[]
}

export type LogLine = {
  at: string | null
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  trace_id: string | null
  /** What else the line says. */
  fields: Record<string, unknown>
}

export type LogoutRequest = {
  refresh_token: string
}

export type Message = {
  id: string
  channel: 'email' | 'sms' | 'push'
  status: 'stored' | 'sent' | 'failed'
  next_attempt_at: string | null
  attempts: {
    started_at: string
    /** Null while it runs, and for ever if its process died. */
    finished_at: string | null
    /** Unsure: all of it was given away, and nobody said that it arrived. */
    outcome: 'sent' | 'failed' | 'later' | 'unsure' | null
    /** What the provider said; only operators see it. */
    answer: string | null
  }[]
}

export type Notification = {
  id: string
  user_id: string
  event_id: string
  event_type: string
  /** The id of what it is about, such as a transaction. */
  subject: string
  message: string
  channel: 'in-app' | 'email' | 'sms' | 'push'
  status: 'stored' | 'sent' | 'failed'
  attempts: number
  timestamp: string
  /** When its user said that they have read it; null before that. */
  read_at: string | null
}

export type NotificationPage = {
  items: Notification[]
  next_cursor: string | null
  /** How many of the caller’s own are unread; no more than this many are counted. */
  unread_count: number
}

export type NotificationWithMessages = {
  id: string
  user_id: string
  event_id: string
  event_type: string
  /** The id of what it is about, such as a transaction. */
  subject: string
  message: string
  channel: 'in-app' | 'email' | 'sms' | 'push'
  status: 'stored' | 'sent' | 'failed'
  attempts: number
  timestamp: string
  /** When its user said that they have read it; null before that. */
  read_at: string | null
  messages: Message[]
}

export type OpenAccountRequest = {
  account_type: 'checking' | 'savings'
  name?: string
  currency?: string
  user_id?: string
  balance?: string | number
  overdraft_limit?: string | number
}

export type OpenSession = {
  id: string
  browser: string | null
  system: string | null
  started_at: string
  /** When it last got new tokens. */
  continued_at: string
  expires_at: string
  /** Whether this request belongs to it. */
  is_current: boolean
}

export type OpenSessionPage = {
  items: OpenSession[]
  next_cursor: string | null
}

export type Order = {
  id: string
  user_id: string
  account_id: string
  to_account_id: string
  amount: string
  currency: string
  description: string | null
  payee_name: string | null
  schedule: Schedule
  missed_runs: 'each' | 'last'
  status: 'active' | 'paused' | 'stopped' | 'completed' | 'cancelled'
  stop_reason: string | null
  next_due_at: string | null
  created_at: string
}

export type OrderPage = {
  items: Order[]
  next_cursor: string | null
}

export type OrderPreview = {
  schedule: Schedule
  dates: DueDate[]
  /** Whether it is due again after these. */
  has_more: boolean
}

export type OrderRun = {
  id: string
  number: number
  due_at: string
  amount: string
  currency: string
  status: 'pending' | 'paid' | 'failed' | 'skipped'
  attempts: number
  transaction_id: string | null
  problem: string | null
  next_attempt_at: string | null
  ended_at: string | null
}

export type OrderRunPage = {
  items: OrderRun[]
  next_cursor: string | null
}

export type PanelSeries = {
  /** Its name, in which `{{label}}` stands for the value of a label. */
  legend: string
  labels: Record<string, string>
  /** One for each moment from `from` on, `step_seconds` apart; for a panel of one moment, its value now. Null is no value. */
  values: (number | null)[]
}

export type Payee = {
  account_id: string
  name: string
  currency: string
}

export type Payment = {
  id: string
  user_id: string
  account_id: string
  amount: string
  currency: string
  description: string | null
  payee_account_id: string | null
  payee_email: string | null
  return_url: string | null
  status: 'placing' | 'created' | 'executing' | 'executed' | 'cancelling' | 'cancelled' | 'expiring' | 'expired' | 'failing' | 'failed'
  failure: string | null
  hold_id: string | null
  transaction_id: string | null
  created_at: string
  expires_at: string
  ended_at: string | null
}

export type PaymentPage = {
  items: Payment[]
  next_cursor: string | null
}

export type Payout = {
  id: string
  user_id: string
  account_id: string
  currency: string
  status: 'running' | 'completed'
  counts: {
    pending: number
    paid: number
    refused: number
  }
  created_at: string
  completed_at: string | null
}

export type PayoutItem = {
  number: number
  to_account_id: string | null
  email: string | null
  amount: string
  note: string | null
  status: 'pending' | 'paid' | 'refused'
  transaction_id: string | null
  problem: string | null
}

export type PayoutPage = {
  items: Payout[]
  next_cursor: string | null
}

export type PayoutStatus = {
  id: string
  user_id: string
  account_id: string
  currency: string
  status: 'running' | 'completed'
  counts: {
    pending: number
    paid: number
    refused: number
  }
  created_at: string
  completed_at: string | null
  items: PayoutItem[]
  next_cursor: string | null
}

export type PlaceHoldRequest = {
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  expires_in?: number
}

export type PostBatchRequest = {
  transactions: BatchedTransaction[]
  atomic?: boolean
}

export type Preferences = {
  language: 'en' | 'de'
  events: {
    'transaction.completed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'transaction.reversed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'hold.placed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'hold.captured'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'hold.released'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'hold.expired'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'payment.executed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'payment.received'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'payment.expired'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'payment.failed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'topup.failed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'withdrawal.failed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'order.ran'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'order.failed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'payout.completed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'account.frozen'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'account.unfrozen'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'account.closed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'webhook.paused'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'session.started'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'password.changed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
    'email.changed'?: {
      email: boolean
      sms: boolean
      push: boolean
      webhook: boolean
    }
  }
  /** The channels that this bank has. A choice for another has no effect. */
  channels: ('email' | 'sms' | 'push' | 'webhook')[]
  /** Where emails go; null if not known yet. */
  email: string | null
  /** Where text messages go; an operator enters it. */
  phone: string | null
  push_public_key: string | null
}

/** Why a request was refused (RFC 9457). Nothing was changed, unless the status is above 499. */
export type Problem = {
  /** Never changes; tell problems apart by it. */
  type: string
  title: string
  status: number
  /** A sentence for people. */
  detail: string
  errors?: FieldError[]
}

export type Proof = {
  account: string
  opening: {
    version: number
    hash: string
    balance_minor: string
  }
  entries: {
    version: number
    transaction_id: string
    amount_minor: string
    balance_after_minor: string
    created_at: string
    value_date: string | null
  }[]
  leaf: {
    index: number
    version: number
    hash: string
  }
  path: string[]
  checkpoint: string
}

export type ProofOfHold = {
  account: string
  opening: {
    version: number
    hash: string
    held_minor: string
  }
  entries: {
    version: number
    hold_id: string
    status: 'open' | 'captured' | 'released' | 'expired'
    amount_minor: string
    held_after_minor: string
    captured_minor: string | null
    transaction_id: string | null
    created_at: string
  }[]
  leaf: {
    index: number
    version: number
    hash: string
  }
  path: string[]
  checkpoint: string
  /** `from` of the next part; null if this is the last one */
  next_from: number | null
}

export type ProveLedgerRequest = {
  since?: string
}

export type PublishedEvent = {
  state: 'done' | 'waiting'
  /** When the Broker had it. Null without spans. */
  at: string | null
  /** So far, while it waits. */
  attempts: number | null
}

export type RedriveDeadLettersRequest = {
  /** All of the group that wait, but at most the oldest 10,000. */
  group?: string
  ids?: string[]
  per_second?: number
}

export type RefreshSessionRequest = {
  refresh_token: string
}

export type RegisterRequest = {
  name: string
  email: string
  password: string
}

export type ReleaseHoldRequest = Record<string, never>

export type ResumeLedgerRequest = {
  stop_id: string
  reason: string
}

export type ReverseTransactionRequest = {
  reason: string
}

export type Room = {
  transaction_max: string | null
  day_max: string | null
  month_max: string | null
  day_used: string | null
  day_remaining: string | null
  month_used: string | null
  month_remaining: string | null
}

export type Schedule = {
  run_at?: string
  every?: 'day' | 'week' | 'month'
  on?: number
  at?: string
  time_zone?: string
  from?: string
  until?: string
  count?: number
}

export type Seal = {
  /** Number of the seal. */
  seal: number
  /** Leaves of the tree. */
  size: number
  /** Root of the tree, in hex. */
  root: string
  /** The signed note: c2sp.org/tlog-checkpoint. */
  checkpoint: string
  sealed_at: string
}

export type SealPage = {
  items: Seal[]
  next_cursor: string | null
}

export type SendNotificationRequest = {
  user_id: string
  channel: 'in-app' | 'email' | 'sms' | 'push'
  template?: 'please-call' | 'documents-needed' | 'details-outdated'
  message?: string
}

export type Session = {
  user_id: string
  role: 'customer' | 'operator'
  /** Seconds until the session must be continued. */
  expires_in: number
}

export type SetAccountLimitsRequest = {
  transaction_max?: string | number | null
  day_max?: string | number | null
  month_max?: string | number | null
  time_zone: string
  valid_from?: string
  reason: string
}

export type SetFeesRequest = {
  currency: string
  type: 'deposit' | 'withdrawal' | 'transfer'
  rules: GivenFeeRules | null
  valid_from?: string
  reason: string
}

export type SetNotificationsContactPhoneRequest = {
  phone: string | null
}

export type SetNotificationsPreferencesRequest = {
  language?: 'en' | 'de'
  events?: {
    'transaction.completed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'transaction.reversed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'hold.placed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'hold.captured'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'hold.released'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'hold.expired'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'payment.executed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'payment.received'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'payment.expired'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'payment.failed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'topup.failed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'withdrawal.failed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'order.ran'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'order.failed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'payout.completed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'account.frozen'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'account.unfrozen'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'account.closed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'webhook.paused'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'session.started'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'password.changed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
    'email.changed'?: {
      email?: boolean
      sms?: boolean
      push?: boolean
      webhook?: boolean
    }
  }
}

export type SetOrderStatusRequest = {
  status: 'active' | 'paused'
}

export type SetUserPasswordRequest = {
  current_password: string
  new_password: string
}

export type SignInRequest = {
  email: string
  password: string
} | {
  code: string
}

export type Statement = {
  account_id: string
  account_type: 'checking' | 'savings'
  currency: string
  basis: 'booking' | 'value'
  from: string | null
  to: string | null
  from_version: number | null
  to_version: number | null
  known_version: number | null
  opening_balance: string
  closing_balance: string
  credits: {
    count: number
    sum: string
  }
  debits: {
    count: number
    sum: string
  }
  seal: number | null
  checkpoint: string | null
  entries: {
    version: number
    booked_at: string
    value_date: string
    amount: string
    balance_after: string
    transaction_id: string
    type: string
    description: string | null
    counterparty_account_id: string | null
    fee: boolean
  }[]
}

export type Stop = {
  id: string
  /** Null: all currencies. */
  currency: string | null
  reason: string
  /** What the guard found wrong: accounts, transactions and sums, with amounts in minor units. Null for a stop by hand. */
  evidence: Record<string, unknown>[] | null
  /** The operator; null: the guard. */
  stopped_by: string | null
  stopped_at: string
  lifted_by: string | null
  lifted_at: string | null
  lift_reason: string | null
  /** What was still wrong when the stop was lifted, on accounts that are frozen. */
  accepted: Record<string, unknown>[] | null
}

export type StopLedgerRequest = {
  currency?: string
  reason: string
}

export type StopPage = {
  items: Stop[]
  next_cursor: string | null
}

export type StoredEvent = {
  context: string
  /** `event` is a row of the outbox; `fact` follows from the row of what it tells. */
  as: 'event' | 'fact'
}

export type Tokens = {
  access_token: string
  token_type: 'Bearer'
  /** Life of the access token, in seconds. */
  expires_in: number
  refresh_token: string
}

export type ToldOfEvent = {
  notifications: NotificationWithMessages[]
  dead_letters: DeadLetterOfEvent[]
}

export type TopUp = {
  id: string
  user_id: string
  account_id: string
  amount: string
  currency: string
  description: string | null
  provider: string
  status: 'placing' | 'asking' | 'pending' | 'crediting' | 'capturing' | 'completed' | 'releasing' | 'failed'
  failure: string | null
  next_url: string | null
  transaction_id: string | null
  created_at: string
  ended_at: string | null
  dispute: string | null
  /** The actions that can end the dispute. */
  resolvable_by: ('dismiss' | 'book' | 'booked')[]
}

export type TopUpPage = {
  items: TopUp[]
  next_cursor: string | null
}

export type Transaction = {
  id: string
  type: 'deposit' | 'withdrawal' | 'transfer' | 'reversal'
  status: 'completed' | 'pending' | 'rejected' | 'reversed'
  account_id: string
  to_account_id: string | null
  amount: string
  currency: string
  description: string | null
  metadata: Record<string, unknown> | null
  balance_after: string | null
  value_date: string
  fee: string | null
  hold_id: string | null
  reverses: string | null
  reversed_by: string | null
  refusal: string | null
  event_id: string | null
  timestamp: string
}

export type TransactionDetail = {
  id: string
  type: 'deposit' | 'withdrawal' | 'transfer' | 'reversal'
  status: 'completed' | 'pending' | 'rejected' | 'reversed'
  account_id: string
  to_account_id: string | null
  amount: string
  currency: string
  description: string | null
  metadata: Record<string, unknown> | null
  balance_after: string | null
  value_date: string
  fee: string | null
  hold_id: string | null
  reverses: string | null
  reversed_by: string | null
  refusal: string | null
  event_id: string | null
  timestamp: string
  trace_id: string | null
  counterparty: Counterparty | null
}

export type TransactionPage = {
  items: Transaction[]
  next_cursor: string | null
}

export type TransferRequest = {
  type: 'transfer'
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  metadata?: Record<string, string | number | boolean | null>
  to_account_id: string
}

export type UnfreezeAccountRequest = {
  reason: string
}

export type User = {
  id: string
  name: string
  email: string
  role: 'customer' | 'operator'
  /** When they showed that the address is theirs; null before that. */
  email_confirmed_at: string | null
  created_at: string
}

export type UserPage = {
  items: User[]
  next_cursor: string | null
}

export type Verification = {
  ok: boolean | null
  open_stops: number
  sums: Finding
  limits: Finding
  holds: Finding
  balances: Finding
  chains: Finding
  hold_chains: Finding
  hold_entries: Finding
  transactions: Finding
  counts: Finding
  reversals: Finding
  changes: Finding
  outflows: Finding
  seals: Finding
}

export type WebHook = {
  id: string
  user_id: string
  url: string
  types: string[]
  status: 'active' | 'paused'
  paused_because: 'asked' | 'gone' | 'failing' | 'new-owner' | null
  previous_secret_until: string | null
  created_at: string
}

export type WebHookDelivery = {
  /** The webhook-id that its receiver sees. */
  id: string
  event_id: string
  event_type: string
  status: 'pending' | 'delivered' | 'failed'
  /** How often it was tried since it was last asked for. */
  attempts: number
  next_attempt_at: string | null
  last_attempt: {
    at: string
    duration_ms: number
    http_status: number | null
    error: string | null
    /** The first 500 bytes of its body. */
    answer: string
  } | null
  created_at: string
}

export type WebHookDeliveryPage = {
  items: WebHookDelivery[]
  next_cursor: string | null
}

export type WebHookPage = {
  items: WebHook[]
  next_cursor: string | null
}

export type WebHookWithSecret = {
  id: string
  user_id: string
  url: string
  types: string[]
  status: 'active' | 'paused'
  paused_because: 'asked' | 'gone' | 'failing' | 'new-owner' | null
  previous_secret_until: string | null
  created_at: string
  secret: string
}

export type WithdrawRequest = {
  type: 'withdrawal'
  account_id: string
  amount: string | number
  currency?: string
  description?: string
  metadata?: Record<string, string | number | boolean | null>
  value_date?: string
}

export type Withdrawal = {
  id: string
  user_id: string
  account_id: string
  amount: string
  currency: string
  description: string | null
  provider: string
  status: 'placing' | 'asking' | 'pending' | 'crediting' | 'capturing' | 'completed' | 'releasing' | 'failed'
  failure: string | null
  next_url: string | null
  transaction_id: string | null
  created_at: string
  ended_at: string | null
  dispute: string | null
  /** The actions that can end the dispute. */
  resolvable_by: ('dismiss' | 'book' | 'booked')[]
  payee_name: string
  payee_account: string
  hold_id: string | null
}

export type WithdrawalPage = {
  items: Withdrawal[]
  next_cursor: string | null
}

export type WitnessedSeal = {
  /** Number of the seal. */
  seal: number
  /** Leaves of the tree. */
  size: number
  /** Root of the tree, in hex. */
  root: string
  /** The signed note: c2sp.org/tlog-checkpoint. */
  checkpoint: string
  witnessed_at: string
}

export type WitnessedSealPage = {
  items: WitnessedSeal[]
  next_cursor: string | null
}

/** Each call: what it takes, and what it answers by status. */
export interface Api {
  /** Who did what in the context identity, newest first */
  'GET /api/audit/identity': {
    takes: {
      query?: { limit?: number; cursor?: string; caller?: string; owner?: string; subject?: string; operation?: string; from?: string; to?: string }
    }
    answers: {
      200: AuditEntryPage
    }
  }
  /** Confirm an email address with the token of a mailed link */
  'POST /api/auth/email/confirm': {
    takes: {
      body: CreateAuthEmailConfirmRequest
    }
    answers: {
      204: undefined
    }
  }
  /** Have another link mailed to the caller’s address */
  'POST /api/auth/email/confirmations': {
    takes: Record<never, never>
    answers: {
      202: undefined
    }
  }
  /** Log in with an email address and a password */
  'POST /api/auth/login': {
    takes: {
      body: CreateAuthLoginRequest
    }
    answers: {
      200: Tokens
    }
  }
  /** Log in with the code of the link that the start of a bank on a laptop printed */
  'POST /api/auth/login/code': {
    takes: {
      body: CreateAuthLoginCodeRequest
    }
    answers: {
      200: Tokens
    }
  }
  /** End the session of a refresh token */
  'POST /api/auth/logout': {
    takes: {
      body: LogoutRequest
    }
    answers: {
      204: undefined
    }
  }
  /** Ask for a link by email to choose a new password; the answer is always the same */
  'POST /api/auth/password-resets': {
    takes: {
      body: CreateAuthPasswordResetRequest
    }
    answers: {
      202: {
        message: string
      }
    }
  }
  /** Choose the new password; ends all sessions of the user */
  'POST /api/auth/password-resets/confirm': {
    takes: {
      body: CreateAuthPasswordResetsConfirmRequest
    }
    answers: {
      204: undefined
    }
  }
  /** Exchange a refresh token for a new pair of tokens; using one twice ends its session */
  'POST /api/auth/refresh': {
    takes: {
      body: RefreshSessionRequest
    }
    answers: {
      200: Tokens
    }
  }
  /** Register with a name, an email address and a password */
  'POST /api/auth/register': {
    takes: {
      body: RegisterRequest
    }
    answers: {
      201: User
    }
  }
  /** Where the caller is signed in, newest first; operators may ask for any user */
  'GET /api/sessions': {
    takes: {
      query?: { limit?: number; cursor?: string; user_id?: string }
    }
    answers: {
      200: OpenSessionPage
    }
  }
  /** End all sessions of the caller but the one of this request */
  'DELETE /api/sessions': {
    takes: {
      query: { others: 'true' }
    }
    answers: {
      204: undefined
    }
  }
  /** End a session; customers only their own, and a second time changes nothing */
  'DELETE /api/sessions/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      204: undefined
    }
  }
  /** Users, newest first: all, those found by name or email address, or whom an id belongs to */
  'GET /api/users': {
    takes: {
      query?: { limit?: number; cursor?: string; query?: string; account_number?: string; id?: string }
    }
    answers: {
      200: UserPage
    }
  }
  /** Add a customer who is served at the counter; they get a link by email to choose a password */
  'POST /api/users': {
    takes: {
      body: CreateUserRequest
    }
    answers: {
      201: User
    }
  }
  /** One user; customers see only themselves */
  'GET /api/users/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: User
    }
  }
  /** Change the name or the email address; customers change only their own, the address with their password */
  'PATCH /api/users/{id}': {
    takes: {
      params: { id: string }
      body?: ChangeUserRequest
    }
    answers: {
      200: User
    }
  }
  /** Delete a customer whose accounts are all closed; customers delete only themselves */
  'DELETE /api/users/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      204: undefined
    }
  }
  /** Choose another password; only for oneself, and it ends all other sessions */
  'PUT /api/users/{id}/password': {
    takes: {
      params: { id: string }
      body: SetUserPasswordRequest
    }
    answers: {
      204: undefined
    }
  }
  /** The last signed root, as a note */
  'GET /.well-known/microbank-checkpoint': {
    takes: Record<never, never>
    answers: {
      200: NotJson
    }
  }
  /** The signed root of one seal, as a note */
  'GET /.well-known/microbank-checkpoint/{n}': {
    takes: {
      params: { n: string }
    }
    answers: {
      200: NotJson
    }
  }
  /** The public keys of the seals, one a line (c2sp.org/signed-note) */
  'GET /.well-known/microbank-seal-keys': {
    takes: Record<never, never>
    answers: {
      200: NotJson
    }
  }
  /** Accounts, newest first, or the one with a number; customers see only their own */
  'GET /api/accounts': {
    takes: {
      query?: { limit?: number; cursor?: string; user_id?: string; status?: 'open' | 'frozen' | 'closed'; number?: string }
    }
    answers: {
      200: AccountPage
    }
  }
  /** Open an account; only operators give user_id (they must), balance and overdraft_limit */
  'POST /api/accounts': {
    takes: {
      body: OpenAccountRequest
    }
    answers: {
      201: Account
    }
  }
  /** One account */
  'GET /api/accounts/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Account
    }
  }
  /** Change the name (null: none), or, for operators, the overdraft limit with a reason; the limit can’t be less than what is used of it */
  'PATCH /api/accounts/{id}': {
    takes: {
      params: { id: string }
      body?: ChangeAccountRequest
    }
    answers: {
      200: Account
    }
  }
  /** Balance now, or at a moment of the past: with everything posted until then */
  'GET /api/accounts/{id}/balance': {
    takes: {
      params: { id: string }
      query?: { as_of?: string }
    }
    answers: {
      200: Balance
    }
  }
  /** Who froze, unfroze or closed the account or changed its overdraft limit, newest first */
  'GET /api/accounts/{id}/changes': {
    takes: {
      params: { id: string }
      query?: { limit?: number; cursor?: string }
    }
    answers: {
      200: AccountChangePage
    }
  }
  /** Close an open account with a balance of zero and no holds; operators must give a reason */
  'POST /api/accounts/{id}/close': {
    takes: {
      params: { id: string }
      body?: CloseAccountRequest
    }
    answers: {
      200: Account
    }
  }
  /** Entries of an account, newest first; `query` searches the words of the description */
  'GET /api/accounts/{id}/entries': {
    takes: {
      params: { id: string }
      query?: { limit?: number; cursor?: string; type?: 'deposit' | 'withdrawal' | 'transfer' | 'reversal'; from?: string; to?: string; query?: string }
    }
    answers: {
      200: EntryPage
    }
  }
  /** Freeze an account; what is on its way to or from it will be refused */
  'POST /api/accounts/{id}/freeze': {
    takes: {
      params: { id: string }
      body: FreezeAccountRequest
    }
    answers: {
      200: Account
    }
  }
  /** Proof of an account’s entries of holds after version `from`, up to the first sealed version from `to` on */
  'GET /api/accounts/{id}/holds/proof': {
    takes: {
      params: { id: string }
      query?: { from?: number; to?: number }
    }
    answers: {
      200: HoldProof
    }
  }
  /** Limits in force, what they leave, and limits to come; customers see those of their own accounts */
  'GET /api/accounts/{id}/limits': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Limits
    }
  }
  /** Set the limits, from now or from a moment to come; what is left out is not limited */
  'PUT /api/accounts/{id}/limits': {
    takes: {
      params: { id: string }
      body: SetAccountLimitsRequest
    }
    answers: {
      200: Limits
    }
  }
  /** Proof of an account’s entries after version `from`, up to the first sealed version from `to` on */
  'GET /api/accounts/{id}/proof': {
    takes: {
      params: { id: string }
      query?: { from?: number; to?: number }
    }
    answers: {
      200: Proof
    }
  }
  /** Opening balance, entries and closing balance of an account in a period */
  'GET /api/accounts/{id}/statement': {
    takes: {
      params: { id: string }
      query?: { from?: string; to?: string; from_version?: number; to_version?: number; basis?: 'booking' | 'value'; known_at?: string; known_version?: number; format?: 'json' | 'csv' | 'pdf' | 'camt.053' | 'proof' }
    }
    answers: {
      200: Statement | Proof
    }
  }
  /** Unfreeze a frozen account */
  'POST /api/accounts/{id}/unfreeze': {
    takes: {
      params: { id: string }
      body: UnfreezeAccountRequest
    }
    answers: {
      200: Account
    }
  }
  /** Who did what in the context ledger, newest first */
  'GET /api/audit/ledger': {
    takes: {
      query?: { limit?: number; cursor?: string; caller?: string; owner?: string; subject?: string; operation?: string; from?: string; to?: string }
    }
    answers: {
      200: AuditEntryPage
    }
  }
  /** What became of an event: stored, published, delivered to whom at which attempt, and its effect */
  'GET /api/events/{event_id}': {
    takes: {
      params: { event_id: string }
      query?: { source?: string }
    }
    answers: {
      200: EventLife
    }
  }
  /** Fees in force and fees to come, by currency, type and time */
  'GET /api/fees': {
    takes: {
      query?: { currency?: string }
    }
    answers: {
      200: {
        items: Fee[]
      }
    }
  }
  /** Set the fee of a currency and type, from now or from a moment to come; null rules end it */
  'PUT /api/fees': {
    takes: {
      body: SetFeesRequest
    }
    answers: {
      200: Fee
    }
  }
  /** What the transactions of the last days have cost, and would have cost by other rules; at most the newest 50000 of the bank are read */
  'POST /api/fees/dry-run': {
    takes: {
      body: CreateFeesDryRunRequest
    }
    answers: {
      200: FeeTrial
    }
  }
  /** Holds, newest first; customers see those on their own accounts, operators those of a user_id, or all */
  'GET /api/holds': {
    takes: {
      query?: { limit?: number; cursor?: string; account_id?: string; user_id?: string; status?: 'open' | 'captured' | 'released' | 'expired' }
    }
    answers: {
      200: HoldPage
    }
  }
  /** Place a hold; expires_in is in seconds (a week, if it is left out) */
  'POST /api/holds': {
    takes: {
      body: PlaceHoldRequest
    }
    answers: {
      201: Hold
    }
  }
  /** One hold */
  'GET /api/holds/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Hold
    }
  }
  /** Capture a hold, once; without an amount, all of it */
  'POST /api/holds/{id}/capture': {
    takes: {
      params: { id: string }
      body: CaptureHoldRequest
    }
    answers: {
      201: Transaction
    }
  }
  /** Proof of one hold, from the entry before its first up to its end; while it is open, up to the last seal. A long one comes in parts: `next_from` is `from` of the next */
  'GET /api/holds/{id}/proof': {
    takes: {
      params: { id: string }
      query?: { from?: number }
    }
    answers: {
      200: ProofOfHold
    }
  }
  /** Release a hold */
  'POST /api/holds/{id}/release': {
    takes: {
      params: { id: string }
      body?: ReleaseHoldRequest
    }
    answers: {
      200: Hold
    }
  }
  /** The invariants of the ledger: M sums, N limits, B balances and chains */
  'GET /api/ledger/invariants': {
    takes: Record<never, never>
    answers: {
      200: Invariants
    }
  }
  /** Lift a stop. What its evidence names is checked first: it must be right, or on accounts that are frozen */
  'POST /api/ledger/resume': {
    takes: {
      body: ResumeLedgerRequest
    }
    answers: {
      200: Stop
    }
  }
  /** Whether postings of each currency go on, and since when and why they do not */
  'GET /api/ledger/status': {
    takes: Record<never, never>
    answers: {
      200: LedgerStatus
    }
  }
  /** Stop postings; without `currency`, of all currencies. Each stop is lifted by itself */
  'POST /api/ledger/stop': {
    takes: {
      body: StopLedgerRequest
    }
    answers: {
      201: Stop
    }
  }
  /** The stops, newest first; with `open`, only those that are lifted, or that are not */
  'GET /api/ledger/stops': {
    takes: {
      query?: { limit?: number; cursor?: string; open?: boolean }
    }
    answers: {
      200: StopPage
    }
  }
  /** What the last checks have found: sums, limits, balances, chains, transactions, holds */
  'GET /api/ledger/verify': {
    takes: Record<never, never>
    answers: {
      200: Verification
    }
  }
  /** Check all books now, in steps: repeat it with the `since` of its answer until it is complete */
  'POST /api/ledger/verify': {
    takes: {
      body?: ProveLedgerRequest
    }
    answers: {
      200: LedgerProofRun
    }
  }
  /** All seals, newest first */
  'GET /api/seals': {
    takes: {
      query?: { limit?: number; cursor?: string }
    }
    answers: {
      200: SealPage
    }
  }
  /** Proof that the tree of `to` leaves begins with the whole tree of `from` leaves (RFC 9162, 2.1.4) */
  'GET /api/seals/consistency': {
    takes: {
      query: { from: number; to: number }
    }
    answers: {
      200: {
        from: number
        to: number
        /** Hashes in hex. */
        consistency: string[]
      }
    }
  }
  /** Transactions, newest first; customers see those that touch their own accounts. `query` searches the words of the description, `metadata` a field and its value (`order:A-17`) */
  'GET /api/transactions': {
    takes: {
      query?: { limit?: number; cursor?: string; account_id?: string; type?: 'deposit' | 'withdrawal' | 'transfer' | 'reversal'; status?: 'completed' | 'pending' | 'rejected' | 'reversed'; from?: string; to?: string; currency?: string; amount_min?: string; amount_max?: string; query?: string; metadata?: string }
    }
    answers: {
      200: TransactionPage
    }
  }
  /** Deposit; Transfer; Withdrawal */
  'POST /api/transactions': {
    takes: {
      body: DepositRequest | TransferRequest | WithdrawRequest
    }
    answers: {
      201: Transaction
      202: Transaction
    }
  }
  /** Up to 1000 transactions, posted in this order; if one is refused, the others are still posted, unless `atomic` */
  'POST /api/transactions/batch': {
    takes: {
      body: PostBatchRequest
    }
    answers: {
      200: Batch
    }
  }
  /** Try out a transaction; nothing is changed. Balances and limits are as they would be after it */
  'POST /api/transactions/dry-run': {
    takes: {
      body: DryRunRequest
    }
    answers: {
      200: DryRun
    }
  }
  /** One transaction */
  'GET /api/transactions/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: TransactionDetail
    }
  }
  /** What became of a transaction, also before it is over: steps for its owner; hops, proof and cost for operators */
  'GET /api/transactions/{id}/life': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Life
    }
  }
  /** Proof of one transaction, as an account’s entries from the one before it on */
  'GET /api/transactions/{id}/proof': {
    takes: {
      params: { id: string }
      query?: { account_id?: string }
    }
    answers: {
      200: Proof
    }
  }
  /** Reverse a completed transaction, once; the reversal can be reversed in turn */
  'POST /api/transactions/{id}/reverse': {
    takes: {
      params: { id: string }
      body: ReverseTransactionRequest
    }
    answers: {
      201: Transaction
    }
  }
  /** Who did what in the context payments, newest first */
  'GET /api/audit/payments': {
    takes: {
      query?: { limit?: number; cursor?: string; caller?: string; owner?: string; subject?: string; operation?: string; from?: string; to?: string }
    }
    answers: {
      200: AuditEntryPage
    }
  }
  /** Payment orders, newest first; customers see their own, operators those of a user_id, or all */
  'GET /api/orders': {
    takes: {
      query?: { limit?: number; cursor?: string; status?: 'active' | 'paused' | 'stopped' | 'completed' | 'cancelled'; user_id?: string; account_id?: string }
    }
    answers: {
      200: OrderPage
    }
  }
  /** Create a payment order; nothing is paid until it is due */
  'POST /api/orders': {
    takes: {
      body: CreateOrderRequest
    }
    answers: {
      201: Order
    }
  }
  /** The next five dates of a schedule; nothing is stored */
  'POST /api/orders/preview': {
    takes: {
      body: CreateOrdersPreviewRequest
    }
    answers: {
      200: OrderPreview
    }
  }
  /** One payment order */
  'GET /api/orders/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Order
    }
  }
  /** Change what the runs to come pay, and when; runs that are due already stay as they are */
  'PATCH /api/orders/{id}': {
    takes: {
      params: { id: string }
      body?: ChangeOrderRequest
    }
    answers: {
      200: Order
    }
  }
  /** Cancel a payment order; a run that has begun is finished */
  'DELETE /api/orders/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Order
    }
  }
  /** Runs of a payment order with their transactions, newest first */
  'GET /api/orders/{id}/runs': {
    takes: {
      params: { id: string }
      query?: { limit?: number; cursor?: string }
    }
    answers: {
      200: OrderRunPage
    }
  }
  /** Pause or resume a payment order; what was due while it was paused is not paid */
  'PUT /api/orders/{id}/status': {
    takes: {
      params: { id: string }
      body: SetOrderStatusRequest
    }
    answers: {
      200: Order
    }
  }
  /** The payee with an account number, or with an email address that they have confirmed; `currency` says which account belongs to an address */
  'GET /api/payees': {
    takes: {
      query?: { number?: string; email?: string; currency?: string }
    }
    answers: {
      200: Payee
    }
  }
  /** Payments, newest first; customers see their own, operators those of a user_id, or all */
  'GET /api/payments': {
    takes: {
      query?: { limit?: number; cursor?: string; status?: 'placing' | 'created' | 'executing' | 'executed' | 'cancelling' | 'cancelled' | 'expiring' | 'expired' | 'failing' | 'failed'; user_id?: string }
    }
    answers: {
      200: PaymentPage
    }
  }
  /** Cancel a payment of one’s own that was not executed */
  'POST /api/payments/cancel': {
    takes: {
      body: CancelPaymentRequest
    }
    answers: {
      200: Payment
    }
  }
  /** Create a payment; expires_in is in seconds (a day, if it is left out) */
  'POST /api/payments/create': {
    takes: {
      body: CreatePaymentRequest
    }
    answers: {
      201: Payment
    }
  }
  /** Execute a payment of one’s own, once */
  'POST /api/payments/execute': {
    takes: {
      body: ExecutePaymentRequest
    }
    answers: {
      200: Payment
    }
  }
  /** Payouts, newest first; customers see their own, operators those of a user_id, or all */
  'GET /api/payments/payout': {
    takes: {
      query?: { limit?: number; cursor?: string; user_id?: string }
    }
    answers: {
      200: PayoutPage
    }
  }
  /** Pay many payees; each item is paid or refused by itself */
  'POST /api/payments/payout': {
    takes: {
      body: CreatePayoutRequest
    }
    answers: {
      202: Payout
    }
  }
  /** A payout with its items, in the order of the request */
  'GET /api/payments/payout/{batch_id}/status': {
    takes: {
      params: { batch_id: string }
      query?: { limit?: number; cursor?: string }
    }
    answers: {
      200: PayoutStatus
    }
  }
  /** Top-ups, newest first; customers see their own */
  'GET /api/payments/top-ups': {
    takes: {
      query?: { limit?: number; cursor?: string; status?: 'placing' | 'asking' | 'pending' | 'crediting' | 'capturing' | 'completed' | 'releasing' | 'failed'; disputed?: boolean }
    }
    answers: {
      200: TopUpPage
    }
  }
  /** Top up an account; next_url of the answer is where the customer pays, if they have to */
  'POST /api/payments/top-ups': {
    takes: {
      body: CreatePaymentsTopUpRequest
    }
    answers: {
      201: TopUp
    }
  }
  /** One top-up */
  'GET /api/payments/top-ups/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: TopUp
    }
  }
  /** Cancel a top-up that is pending */
  'POST /api/payments/top-ups/{id}/cancel': {
    takes: {
      params: { id: string }
      body?: CreatePaymentsTopUpCancelRequest
    }
    answers: {
      200: TopUp
    }
  }
  /** End the dispute of a top-up, after somebody has looked into it */
  'POST /api/payments/top-ups/{id}/resolve': {
    takes: {
      params: { id: string }
      body: CreatePaymentsTopUpResolveRequest
    }
    answers: {
      200: TopUp
    }
  }
  /** Withdrawals, newest first; customers see their own */
  'GET /api/payments/withdrawals': {
    takes: {
      query?: { limit?: number; cursor?: string; status?: 'placing' | 'asking' | 'pending' | 'crediting' | 'capturing' | 'completed' | 'releasing' | 'failed'; disputed?: boolean }
    }
    answers: {
      200: WithdrawalPage
    }
  }
  /** Withdraw to an account outside the bank: the money is held until the provider has paid it out */
  'POST /api/payments/withdrawals': {
    takes: {
      body: CreatePaymentsWithdrawalRequest
    }
    answers: {
      201: Withdrawal
    }
  }
  /** One withdrawal */
  'GET /api/payments/withdrawals/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Withdrawal
    }
  }
  /** Cancel a withdrawal that is pending */
  'POST /api/payments/withdrawals/{id}/cancel': {
    takes: {
      params: { id: string }
      body?: CreatePaymentsWithdrawalCancelRequest
    }
    answers: {
      200: Withdrawal
    }
  }
  /** End the dispute of a withdrawal, after somebody has looked into it */
  'POST /api/payments/withdrawals/{id}/resolve': {
    takes: {
      params: { id: string }
      body: CreatePaymentsWithdrawalResolveRequest
    }
    answers: {
      200: Withdrawal
    }
  }
  /** One payment */
  'GET /api/payments/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: Payment
    }
  }
  /** A web hook of a payment provider, signed by it */
  'POST /api/providers/{provider}/hooks': {
    takes: {
      params: { provider: string }
    }
    answers: {
      204: undefined
    }
  }
  /** The web hooks of the caller, newest first; an operator sees everybody’s */
  'GET /api/webhooks': {
    takes: {
      query?: { limit?: number; cursor?: string; user_id?: string }
    }
    answers: {
      200: WebHookPage
    }
  }
  /** Create a web hook; the answer has its secret, which no other answer has */
  'POST /api/webhooks': {
    takes: {
      body: CreateWebHookRequest
    }
    answers: {
      201: WebHookWithSecret
    }
  }
  /** One web hook */
  'GET /api/webhooks/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: WebHook
    }
  }
  /** Change the URL or the types, pause, or resume; an operator can only pause another’s */
  'PATCH /api/webhooks/{id}': {
    takes: {
      params: { id: string }
      body?: ChangeWebhookRequest
    }
    answers: {
      200: WebHook
    }
  }
  /** Delete a web hook, with its deliveries */
  'DELETE /api/webhooks/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      204: undefined
    }
  }
  /** The deliveries of a web hook, newest first; they are kept for 30 days */
  'GET /api/webhooks/{id}/deliveries': {
    takes: {
      params: { id: string }
      query?: { limit?: number; cursor?: string; status?: 'pending' | 'delivered' | 'failed' }
    }
    answers: {
      200: WebHookDeliveryPage
    }
  }
  /** Post it again, with the same webhook-id */
  'POST /api/webhooks/{id}/deliveries/{delivery_id}/repeat': {
    takes: {
      params: { id: string; delivery_id: string }
    }
    answers: {
      202: WebHookDelivery
    }
  }
  /** Make a new secret; for a day everything is signed with the one before, too */
  'POST /api/webhooks/{id}/secrets': {
    takes: {
      params: { id: string }
    }
    answers: {
      201: WebHookWithSecret
    }
  }
  /** Who did what in the context notifications, newest first */
  'GET /api/audit/notifications': {
    takes: {
      query?: { limit?: number; cursor?: string; caller?: string; owner?: string; subject?: string; operation?: string; from?: string; to?: string }
    }
    answers: {
      200: AuditEntryPage
    }
  }
  /** Redrives of dead letters, newest first */
  'GET /api/dead-letter-redrives': {
    takes: {
      query?: { limit?: number; cursor?: string }
    }
    answers: {
      200: DeadLetterRedrivePage
    }
  }
  /** Begins to publish a group of dead letters, or those named, at a rate */
  'POST /api/dead-letter-redrives': {
    takes: {
      body?: RedriveDeadLettersRequest
    }
    answers: {
      202: DeadLetterRedrive
    }
  }
  /** How far a redrive is */
  'GET /api/dead-letter-redrives/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: DeadLetterRedrive
    }
  }
  /** Stops a redrive; what it has not sent waits as before */
  'POST /api/dead-letter-redrives/{id}/stop': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: DeadLetterRedrive
    }
  }
  /** The dead letters, newest first */
  'GET /api/dead-letters': {
    takes: {
      query?: { limit?: number; cursor?: string; status?: 'stored' | 'redriven' | 'discarded'; group?: string; trigger?: string; type?: string; error?: string }
    }
    answers: {
      200: DeadLetterPage
    }
  }
  /** Dead letters by Trigger, type and error; the newest group first */
  'GET /api/dead-letters/groups': {
    takes: {
      query?: { limit?: number; cursor?: string; status?: 'stored' | 'redriven' | 'discarded'; trigger?: string; type?: string }
    }
    answers: {
      200: DeadLetterGroupPage
    }
  }
  /** One dead letter */
  'GET /api/dead-letters/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: DeadLetter
    }
  }
  /** Marks a dead letter as not to be sent; it is kept and can be redriven later */
  'POST /api/dead-letters/{id}/discard': {
    takes: {
      params: { id: string }
      body: DiscardDeadLetterRequest
    }
    answers: {
      200: DeadLetter
    }
  }
  /** Publishes the event again; consumers that processed it before ignore it */
  'POST /api/dead-letters/{id}/redrive': {
    takes: {
      params: { id: string }
    }
    answers: {
      202: DeadLetter
    }
  }
  /** The notifications of the caller, newest first, but none that was only sent; an operator sees everybody’s, or those of a user_id, and all */
  'GET /api/notifications': {
    takes: {
      query?: { limit?: number; cursor?: string; user_id?: string }
    }
    answers: {
      200: NotificationPage
    }
  }
  /** The notifications of one event, with what left the bank: the caller’s own; for operators all, and its dead letters */
  'GET /api/notifications/by-event/{event_id}': {
    takes: {
      params: { event_id: string }
      query: { source: string }
    }
    answers: {
      200: ToldOfEvent
    }
  }
  /** Enter or remove the phone number of a user, after having checked that it is theirs */
  'PUT /api/notifications/contacts/{id}/phone': {
    takes: {
      params: { id: string }
      body: SetNotificationsContactPhoneRequest
    }
    answers: {
      204: undefined
    }
  }
  /** What the caller has chosen, and what is usual where they have not */
  'GET /api/notifications/preferences': {
    takes: Record<never, never>
    answers: {
      200: Preferences
    }
  }
  /** Choose anew. What is left out is as usual */
  'PUT /api/notifications/preferences': {
    takes: {
      body?: SetNotificationsPreferencesRequest
    }
    answers: {
      200: Preferences
    }
  }
  /** Subscribe a browser, with what its PushManager gives. The same endpoint again replaces its keys */
  'POST /api/notifications/push-subscriptions': {
    takes: {
      body: CreateNotificationsPushSubscriptionRequest
    }
    answers: {
      201: {
        id: string
      }
    }
  }
  /** End a subscription of the caller */
  'DELETE /api/notifications/push-subscriptions/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      204: undefined
    }
  }
  /** Mark the caller’s own notifications as read, from one of them back to the oldest */
  'POST /api/notifications/read': {
    takes: {
      body: CreateNotificationsReadRequest
    }
    answers: {
      200: {
        /** How many of the caller’s own are unread; no more than this many are counted. */
        unread_count: number
      }
    }
  }
  /** Send a user a message over one channel: a template, or words of one’s own */
  'POST /api/notifications/send': {
    takes: {
      body: SendNotificationRequest
    }
    answers: {
      202: {
        id: string
        user_id: string
        channel: 'in-app' | 'email' | 'sms' | 'push'
      }
    }
  }
  /** The caller’s own notifications as Server-Sent Events, from now on or after `Last-Event-ID` (or `last_event_id`) */
  'GET /api/notifications/stream': {
    takes: {
      query?: { last_event_id?: string }
    }
    answers: {
      200: NotJson
    }
  }
  /** One notification, with the messages that left the bank and each attempt to send them */
  'GET /api/notifications/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: NotificationWithMessages
    }
  }
  /** The seals as the notifications context has received and kept them, newest first */
  'GET /api/seals/witnessed': {
    takes: {
      query?: { limit?: number; cursor?: string }
    }
    answers: {
      200: WitnessedSealPage
    }
  }
  /** Who did what in the context documents, newest first */
  'GET /api/audit/documents': {
    takes: {
      query?: { limit?: number; cursor?: string; caller?: string; owner?: string; subject?: string; operation?: string; from?: string; to?: string }
    }
    answers: {
      200: AuditEntryPage
    }
  }
  /** File a statement of a period that has ended; only operators give user_id, and they must */
  'POST /api/documents/statements': {
    takes: {
      body: FileStatementRequest
    }
    answers: {
      200: Document
      201: Document
    }
  }
  /** Your documents, newest first; operators may ask for those of a user_id */
  'GET /api/media': {
    takes: {
      query?: { limit?: number; cursor?: string; user_id?: string; document_type?: 'upload' | 'statement' }
    }
    answers: {
      200: DocumentPage
    }
  }
  /** The stores of documents, and which is in use */
  'GET /api/media/status': {
    takes: Record<never, never>
    answers: {
      200: {
        in_use: 's3' | 'database'
        stores: {
          name: 's3' | 'database'
          configured: boolean
          working: boolean
          next_try_at: string | null
        }[]
      }
    }
  }
  /** Upload a file as multipart/form-data, in the field "file": png, jpeg, webp or pdf; operators may upload for a user_id */
  'POST /api/media/upload': {
    takes: {
      query?: { user_id?: string }
      body: FormData
    }
    answers: {
      201: Document
    }
  }
  /** The bytes of a document, to save or, with disposition=inline, to show */
  'GET /api/media/{public_id}': {
    takes: {
      params: { public_id: string }
      query?: { disposition?: 'attachment' | 'inline' }
    }
    answers: {
      200: NotJson
    }
  }
  /** Delete a document; its bytes are removed at once, or when their store is back */
  'DELETE /api/media/{public_id}': {
    takes: {
      params: { public_id: string }
    }
    answers: {
      204: undefined
    }
  }
  /** A small WebP image of an image, to show or to save */
  'GET /api/media/{public_id}/thumbnail': {
    takes: {
      params: { public_id: string }
      query?: { disposition?: 'attachment' | 'inline' }
    }
    answers: {
      200: NotJson
    }
  }
  /** The scenarios and faults of the lab, and its last runs */
  'GET /api/lab': {
    takes: Record<never, never>
    answers: {
      200: Lab
    }
  }
  /** Begins a run: traffic and faults. One at a time */
  'POST /api/lab/runs': {
    takes: {
      body?: LabRunRequest
    }
    answers: {
      201: LabRun
    }
  }
  /** A run: what it has done so far, and the invariants */
  'GET /api/lab/runs/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: LabRun
    }
  }
  /** Stops a run: all its faults are undone before the answer. It is judged then */
  'DELETE /api/lab/runs/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: LabRun
    }
  }
  /** The report of a run, with its seed and commit */
  'GET /api/lab/runs/{id}/report': {
    takes: {
      params: { id: string }
      query?: { format?: 'markdown' | 'json' }
    }
    answers: {
      200: LabRun
    }
  }
  /** What this installation runs on, and what it can show */
  'GET /api/platform': {
    takes: Record<never, never>
    answers: {
      200: {
        runtime: 'local' | 'cluster'
        version: string
        lab: boolean
        traces: boolean
        logs: boolean
      }
    }
  }
  /** How the last functions started, phase by phase; all starts as histograms */
  'GET /api/platform/cold-starts': {
    takes: {
      query?: { function?: string }
    }
    answers: {
      200: ColdStarts
    }
  }
  /** Brokers and Triggers: what each takes, how it delivers, what waits and what was delivered lately */
  'GET /api/platform/events': {
    takes: Record<never, never>
    answers: {
      200: Deliveries
    }
  }
  /** The routes of a function, and its manifest with the patches that all share */
  'GET /api/platform/functions/{name}': {
    takes: {
      params: { name: string }
    }
    answers: {
      200: {
        name: string
        routes: {
          method: string
          path: string
        }[]
        manifest: {
          apiVersion: string
          kind: string
          metadata: Record<string, unknown>
          spec: Record<string, unknown>
        }
      }
    }
  }
  /** The last lines that a function has logged */
  'GET /api/platform/functions/{name}/logs': {
    takes: {
      params: { name: string }
      query?: { level?: 'debug' | 'info' | 'warn' | 'error'; limit?: number }
    }
    answers: {
      200: FunctionLog
    }
  }
  /** The newest emails that a bank on a laptop has caught; elsewhere why there are none */
  'GET /api/platform/mails': {
    takes: Record<never, never>
    answers: {
      200: CaughtMails
    }
  }
  /** One caught email as plain text, and the names of what is attached */
  'GET /api/platform/mails/{id}': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: CaughtMail
    }
  }
  /** The HTML of one caught email, for a frame; nothing of it runs, and nothing is loaded */
  'GET /api/platform/mails/{id}/html': {
    takes: {
      params: { id: string }
    }
    answers: {
      200: NotJson
    }
  }
  /** A dashboard with the answers of Prometheus, or why there are none */
  'GET /api/platform/metrics': {
    takes: {
      query?: { dashboard?: string; range?: '15m' | '1h' | '6h' | '24h'; service?: string }
    }
    answers: {
      200: DashboardPicture
    }
  }
  /** The picture of GET /platform/topology as an event `topology`, then what changes, at most twice a second */
  'GET /api/platform/stream': {
    takes: Record<never, never>
    answers: {
      200: NotJson
    }
  }
  /** All functions with their state, the Broker, its Triggers, clocks, databases, and what leads where */
  'GET /api/platform/topology': {
    takes: Record<never, never>
    answers: {
      200: {
        as_of: string
        runtime: 'local' | 'cluster'
        functions: ({
          name: string
          context: 'identity' | 'ledger' | 'notifications' | 'payments' | 'documents' | 'web' | 'platform'
          is_public: boolean
          state: 'zero' | 'starting' | 'ready' | 'busy' | 'failing'
          reason: string | null
          processes: number
          starting: number
          min_scale: number
          max_scale: number | null
          concurrency: number | null
          in_flight: number | null
          held: number | null
          cold_starts: number | null
          last_start: {
            total_ms: number | null
            spawn_ms: number | null
            port_open_ms: number | null
            boot_ms: number | null
            load_ms: number | null
            first_request_ms: number | null
            first_query_ms: number | null
          } | null
        })[]
        brokers: {
          name: string
          ready: boolean
          reason: string | null
        }[]
        triggers: {
          name: string
          broker: string
          ready: boolean
          reason: string | null
          filter: {
            attribute: string
            value: string
          }[]
          subscriber: string | null
          dead_letter_sink: string | null
          backlog: number | null
          dead_letters: number | null
          delivered: number | null
        }[]
        clocks: {
          name: string
          schedule: string
          function: string | null
        }[]
        databases: ('identity' | 'ledger' | 'notifications' | 'payments' | 'documents' | 'web' | 'platform')[]
        edges: {
          from: string
          to: string
          kind: 'request' | 'call' | 'store' | 'publish' | 'filter' | 'deliver' | 'dead-letter' | 'wake'
        }[]
      }
    }
  }
  /** The public keys that verify access tokens (RFC 7517) */
  'GET /.well-known/jwks.json': {
    takes: Record<never, never>
    answers: {
      200: {
        keys: Record<string, unknown>[]
      }
    }
  }
  /** The same document as /asyncapi.json */
  'GET /api/asyncapi.json': {
    takes: Record<never, never>
    answers: {
      200: Record<string, unknown>
    }
  }
  /** Who did what, newest first; as CSV, many at once */
  'GET /api/audit': {
    takes: {
      query?: { limit?: number; cursor?: string; caller?: string; owner?: string; subject?: string; operation?: string; from?: string; to?: string; context?: 'identity' | 'ledger' | 'notifications' | 'payments' | 'documents'; format?: 'json' | 'csv' }
    }
    answers: {
      200: AuditEntryPage
    }
  }
  /** This document */
  'GET /api/openapi.json': {
    takes: Record<never, never>
    answers: {
      200: Record<string, unknown>
    }
  }
  /** Who is signed in */
  'GET /api/session': {
    takes: Record<never, never>
    answers: {
      200: Session
    }
  }
  /** Sign a browser in, with an email address and a password, or with the code of a printed link */
  'POST /api/session': {
    takes: {
      body?: SignInRequest
    }
    answers: {
      200: Session
    }
  }
  /** Sign the browser out */
  'DELETE /api/session': {
    takes: Record<never, never>
    answers: {
      204: undefined
    }
  }
  /** Whether there is a demo customer to sign in as */
  'GET /api/session/demo': {
    takes: Record<never, never>
    answers: {
      200: DemoCustomer
    }
  }
  /** Sign a browser in as the demo customer of a bank on a laptop, who is made the first time */
  'POST /api/session/demo': {
    takes: Record<never, never>
    answers: {
      200: Session
    }
  }
  /** Continue the session of a browser; its cookies are renewed */
  'POST /api/session/refresh': {
    takes: Record<never, never>
    answers: {
      200: Session
    }
  }
  /** All events of the bank, as an AsyncAPI document */
  'GET /asyncapi.json': {
    takes: Record<never, never>
    answers: {
      200: Record<string, unknown>
    }
  }
  /** Whether the bank works, with each context and its database */
  'GET /health': {
    takes: Record<never, never>
    answers: {
      200: {
        status: 'ok' | 'unavailable'
        contexts: Record<string, unknown>
      }
    }
  }
  /** Whether each function works; wakes them all */
  'GET /health/services': {
    takes: Record<never, never>
    answers: {
      200: {
        status: 'ok' | 'unavailable'
        services: Record<string, unknown>
      }
    }
  }
  /** Whether one context works, and its database */
  'GET /health/{context}': {
    takes: {
      params: { context: string }
    }
    answers: {
      200: {
        status: 'ok' | 'unavailable'
      }
    }
  }
}

/** The last part of a problem's `type`. */
export type ProblemName =
  | 'account-closed'
  | 'account-frozen'
  | 'account-has-holds'
  | 'account-not-empty'
  | 'account-not-found'
  | 'account-not-frozen'
  | 'accounts-open'
  | 'already-reversed'
  | 'bad-request'
  | 'channel-off'
  | 'cross-site'
  | 'currency-mismatch'
  | 'customer-left'
  | 'day-limit-exceeded'
  | 'dead-letter-not-waiting'
  | 'document-limit-reached'
  | 'document-lost'
  | 'document-not-ready'
  | 'document-refused'
  | 'email-confirmed'
  | 'email-taken'
  | 'fault-not-possible'
  | 'fee-exceeds-amount'
  | 'file-too-large'
  | 'file-type-not-accepted'
  | 'forbidden'
  | 'headers-too-large'
  | 'hold-captured'
  | 'hold-expired'
  | 'hold-not-found'
  | 'hold-not-yours'
  | 'hold-released'
  | 'hook-refused'
  | 'idempotency-key-in-use'
  | 'idempotency-key-reused'
  | 'insufficient-funds'
  | 'internal-error'
  | 'invalid-credentials'
  | 'invalid-input'
  | 'invalid-json'
  | 'invalid-refresh-token'
  | 'lab-busy'
  | 'lab-off'
  | 'ledger-stopped'
  | 'limit-exceeded'
  | 'link-not-valid'
  | 'month-limit-exceeded'
  | 'more-than-held'
  | 'no-payment-provider'
  | 'not-acceptable'
  | 'not-cancellable'
  | 'not-completed'
  | 'not-found'
  | 'not-multipart'
  | 'not-reachable'
  | 'not-resolvable'
  | 'not-yet-sealed'
  | 'nothing-to-redrive'
  | 'order-ended'
  | 'order-not-found'
  | 'other-user'
  | 'outcome-unknown'
  | 'overdraft-in-use'
  | 'payee-not-found'
  | 'payload-too-large'
  | 'payment-cancelled'
  | 'payment-executed'
  | 'payment-expired'
  | 'payment-failed'
  | 'payment-refused'
  | 'payout-not-found'
  | 'proof-too-long'
  | 'redrive-under-way'
  | 'request-timeout'
  | 'same-account'
  | 'security-message'
  | 'statement-too-long'
  | 'still-broken'
  | 'stop-lifted'
  | 'stream-too-far-behind'
  | 'too-many-accounts'
  | 'too-many-holds'
  | 'too-many-messages'
  | 'too-many-orders'
  | 'too-many-payouts'
  | 'too-many-pending-transfers'
  | 'too-many-redrives'
  | 'too-many-requests'
  | 'too-many-subscriptions'
  | 'too-many-unreachable-payees'
  | 'too-many-web-hooks'
  | 'top-up-refused'
  | 'transaction-limit-exceeded'
  | 'transaction-not-completed'
  | 'unauthenticated'
  | 'unavailable'
  | 'unknown-push-service'
  | 'unknown-reference'
  | 'unsupported-media-type'
  | 'upstream-failed'
  | 'upstream-timeout'
  | 'user-unknown'
  | 'value-date-out-of-range'
  | 'web-hook-url-refused'
  | 'wrong-password'

/** Calls that take an Idempotency-Key. */
export const keyed: ReadonlySet<string> = new Set([
  'POST /api/auth/register',
  'POST /api/users',
  'POST /api/accounts',
  'PATCH /api/accounts/{id}',
  'POST /api/accounts/{id}/close',
  'POST /api/accounts/{id}/freeze',
  'PUT /api/accounts/{id}/limits',
  'POST /api/accounts/{id}/unfreeze',
  'PUT /api/fees',
  'POST /api/holds',
  'POST /api/holds/{id}/capture',
  'POST /api/holds/{id}/release',
  'POST /api/ledger/resume',
  'POST /api/ledger/stop',
  'POST /api/transactions',
  'POST /api/transactions/batch',
  'POST /api/transactions/{id}/reverse',
  'POST /api/orders',
  'PATCH /api/orders/{id}',
  'POST /api/payments/cancel',
  'POST /api/payments/create',
  'POST /api/payments/execute',
  'POST /api/payments/payout',
  'POST /api/payments/top-ups',
  'POST /api/payments/top-ups/{id}/resolve',
  'POST /api/payments/withdrawals',
  'POST /api/payments/withdrawals/{id}/resolve',
  'POST /api/webhooks',
  'PATCH /api/webhooks/{id}',
  'POST /api/webhooks/{id}/deliveries/{delivery_id}/repeat',
  'POST /api/webhooks/{id}/secrets',
  'POST /api/dead-letter-redrives',
  'POST /api/dead-letter-redrives/{id}/stop',
  'POST /api/dead-letters/{id}/discard',
  'POST /api/dead-letters/{id}/redrive',
  'POST /api/notifications/push-subscriptions',
  'POST /api/notifications/send',
  'POST /api/documents/statements',
  'POST /api/media/upload',
])

/** Calls that need no access token. */
export const open: ReadonlySet<string> = new Set([
  'POST /api/auth/email/confirm',
  'POST /api/auth/login',
  'POST /api/auth/login/code',
  'POST /api/auth/logout',
  'POST /api/auth/password-resets',
  'POST /api/auth/password-resets/confirm',
  'POST /api/auth/refresh',
  'POST /api/auth/register',
  'GET /.well-known/microbank-checkpoint',
  'GET /.well-known/microbank-checkpoint/{n}',
  'GET /.well-known/microbank-seal-keys',
  'GET /api/seals',
  'GET /api/seals/consistency',
  'POST /api/providers/{provider}/hooks',
  'GET /api/seals/witnessed',
  'GET /.well-known/jwks.json',
  'GET /api/asyncapi.json',
  'GET /api/openapi.json',
  'POST /api/session',
  'DELETE /api/session',
  'GET /api/session/demo',
  'POST /api/session/demo',
  'POST /api/session/refresh',
  'GET /asyncapi.json',
  'GET /health',
  'GET /health/{context}',
])
