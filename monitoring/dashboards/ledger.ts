import { GOOD_AT_ZERO, stat, timeseries, type Board } from './panel.ts'
import { grownByWhole, REQUESTS } from './promql.ts'

export const ledger: Board = {
  uid: 'ledger',
  title: 'Ledger invariants',
  about: 'What must always hold. Anything that is not green is an incident.',
  panels: [
    stat('Sum of all balances', 'short', [['microbank_ledger_imbalance', '{{currency}}']], {
      ...{ colours: GOOD_AT_ZERO },
      about: 'In minor units. Double entry: it is 0, or money was made or lost.',
    }),
    stat('Violations', 'short', [['microbank_ledger_violations', '{{check}}']], { colours: GOOD_AT_ZERO }),
    stat('Since the last proof of the whole ledger', 's', [
      ['time() - microbank_ledger_verified_timestamp_seconds', 'ago'],
    ]),
    stat('Stopped', 'short', [['microbank_ledger_stopped', '{{currency}}']], { colours: GOOD_AT_ZERO }),
    timeseries(
      'Postings, as the books and as clients say',
      'short',
      [
        [
          grownByWhole('microbank_transactions_total{status="completed"}', '1h', 'type'),
          'in the books: {{type}}',
        ],
        [
          grownByWhole(`${REQUESTS}{service=~"deposit|withdraw|transfer",status="2xx"}`, '1h', 'service'),
          'answered: {{service}}',
        ],
      ],
      {
        about:
          'Over an hour. Answers may be more: a repeat is answered, and posts nothing. The books are read a minute later.',
      },
    ),
    stat('How far facts are counted', 's', [
      ['time() - microbank_facts_horizon_timestamp_seconds', '{{context}}: ago'],
    ]),
  ],
}
