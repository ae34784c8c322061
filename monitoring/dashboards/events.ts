import { GOOD_AT_ZERO, stat, timeseries, type Board } from './panel.ts'
import { perMinute, perSecond, quantile, REQUESTS, sum } from './promql.ts'

const DELAY = 'microbank_notification_delay_seconds_bucket'

export const events: Board = {
  uid: 'events',
  title: 'Events, Broker, queues',
  about: 'From the commit to the consumer: outbox, Broker, Triggers, dead letters.',
  panels: [
    timeseries('Events stated', 'eps', [
      [perSecond('microbank_events_total', 'context, type'), '{{context}} {{type}}'],
    ]),
    timeseries('Published', 'eps', [[perSecond('microbank_publish_total', 'outcome'), '{{outcome}}']]),
    timeseries('Outbox', 'short', [['microbank_outbox_pending', '{{context}}']]),
    timeseries('Oldest event in the outbox', 's', [['microbank_outbox_oldest_seconds', '{{context}}']]),
    timeseries('Waiting in processes', 'short', [['microbank_publish_waiting', '{{service}}']]),
    timeseries('Backlog of Triggers', 'short', [['microbank_trigger_backlog', '{{trigger}}']]),
    timeseries('What consumers answer', 'reqps', [
      [perSecond(`${REQUESTS}{handler="/events"}`, 'service, status'), '{{service}} {{status}}'],
    ]),
    stat(
      'Dead letters',
      'short',
      [
        [`${sum('microbank_dead_letters', 'destination')} or on() vector(0)`, '{{destination}}'],
        ['microbank_dead_letters_dropped', 'unsigned, not kept'],
      ],
      {
        colours: GOOD_AT_ZERO,
      },
    ),
    stat('Dead letters on their way', 'short', [[sum('microbank_trigger_dead_letters_waiting'), 'waiting']], {
      colours: GOOD_AT_ZERO,
    }),
    timeseries('Given up, a minute', 'short', [
      [perMinute('broker_dead_letters_total', 'trigger'), '{{trigger}}'],
      [
        `${perMinute('broker_stuck_dead_letters_total', 'trigger')} or on() vector(0)`,
        '{{trigger}}: its sink is away',
      ],
    ]),
    timeseries('From commit to notification', 's', [
      [quantile(0.5, DELAY), 'half'],
      [quantile(0.99, DELAY), '99 %'],
    ]),
    stat('Notifications missing', 'short', [['microbank_notifications_missing or vector(0)', 'missing']], {
      ...{ colours: GOOD_AT_ZERO },
      about: 'Transactions of ten minutes ago, less those that their owners were told of.',
    }),
    timeseries('Postings to a commit, half', 'short', [
      [quantile(0.5, 'microbank_batch_size_bucket', 'service'), '{{service}}'],
    ]),
    timeseries('One attempt to deliver, 95 %', 's', [
      [quantile(0.95, 'kn_eventing_dispatch_duration_seconds_bucket', 'trigger'), '{{trigger}}'],
    ]),
    timeseries('What the Broker answers', 'reqps', [
      [perSecond('broker_ingress_requests_total', 'code'), '{{code}}'],
    ]),
  ],
}
