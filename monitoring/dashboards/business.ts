import { gauge, pie, stat, table, timeseries, type Board } from './panel.ts'
import { FRONT_DOOR, perMinute, perSecond, REQUESTS, sum, today } from './promql.ts'

const COMPLETED = 'microbank_transactions_total{status="completed"}'
const NOTIFICATIONS = 'microbank_notifications_total'
const events = (types: string): string => `microbank_events_total{type=~"${types}"}`

export const business: Board = {
  uid: 'business',
  title: 'Business',
  about: 'Money, customers and messages, as the databases count them. They are about a minute behind.',
  panels: [
    timeseries('Transactions a minute', 'short', [[perMinute(COMPLETED, 'type'), '{{type}}']]),
    stat('Transactions today', 'short', [[today(COMPLETED), 'transactions']]),
    stat('Transactions ever', 'short', [[sum(COMPLETED), 'transactions']]),
    table('Money moved in 24 hours', 'short', [
      [today('microbank_transaction_amount_total', 'type, currency'), '{{type}} {{currency}}'],
    ]),
    timeseries('Deposits held', 'short', [['microbank_deposits_held', '{{currency}}']]),
    timeseries('Held by reservations', 'short', [['microbank_holds_amount', '{{currency}}']]),
    timeseries('Sign-ups and accounts opened, a minute', 'short', [
      [perMinute(events('user.registered|account.opened'), 'type'), '{{type}}'],
    ]),
    stat('Sign-ups today', 'short', [[today(events('user.registered')), 'users']]),
    stat('Users', 'short', [['microbank_users', '{{role}}']]),
    timeseries('Log-ins a minute', 'short', [
      [perMinute(events('session.started|login.failed'), 'type'), '{{type}}'],
    ]),
    pie('Accounts', 'short', [
      [sum('microbank_accounts', 'account_type, status'), '{{account_type}}, {{status}}'],
    ]),
    stat('Accounts in use', 'short', [['microbank_accounts_active', 'within {{window}}']]),
    stat('Messages today', 'short', [[today(NOTIFICATIONS), 'messages']]),
    timeseries('Messages a minute', 'short', [
      [perMinute(NOTIFICATIONS, 'channel, status'), '{{channel}}, {{status}}'],
    ]),
    timeseries('Errors', 'reqps', [[perSecond(`${REQUESTS}{status=~"4xx|5xx"}`, 'service'), '{{service}}']]),
    gauge(
      'Requests that succeed',
      'percent',
      [
        [
          `100 * sum(rate(${REQUESTS}{${FRONT_DOOR},status="2xx"}[5m])) / sum(rate(${REQUESTS}{${FRONT_DOOR}}[5m]))`,
          'succeed',
        ],
      ],
      {
        ...{ min: 0, max: 100 },
        colours: [
          { colour: 'red', from: null },
          { colour: 'yellow', from: 90 },
          { colour: 'green', from: 95 },
        ],
      },
    ),
  ],
}
