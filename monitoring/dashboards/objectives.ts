import { gauge, table, timeseries, type Board } from './panel.ts'
import { FRONT_DOOR, grownByWhole, REQUESTS } from './promql.ts'

const burn = (window: string): string => `slo:bad:ratio_rate${window} / on (slo) slo:budget`

export const objectives: Board = {
  uid: 'objectives',
  title: 'Objectives',
  about: 'How much of the two budgets of errors is left, over 30 days, and how fast it burns.',
  panels: [
    gauge(
      'Budget left',
      'percentunit',
      [['1 - slo:bad:increase30d / on (slo) (slo:total:increase30d * on (slo) slo:budget)', '{{slo}}']],
      {
        ...{ min: 0, max: 1 },
        colours: [
          { colour: 'red', from: null },
          { colour: 'yellow', from: 0.1 },
          { colour: 'green', from: 0.5 },
        ],
      },
    ),
    timeseries(
      'Burn rate',
      'short',
      [
        [burn('1h'), '{{slo}}, an hour'],
        [burn('6h'), '{{slo}}, six hours'],
        [burn('3d'), '{{slo}}, three days'],
      ],
      { about: 'At 1 the budget is used up after exactly 30 days.' },
    ),
    timeseries('Failed requests in an hour', 'short', [
      [
        `${grownByWhole(`${REQUESTS}{${FRONT_DOOR},status="5xx"}`, '1h', 'handler')} > 0 or on() vector(0)`,
        '{{handler}}',
      ],
    ]),
    table('Alerts of the objectives', 'short', [
      ['ALERTS{slo!=""} or on() vector(0)', '{{alertname}} {{slo}}'],
    ]),
  ],
}
