import { GOOD_AT_ZERO, pie, stat, timeseries, type Board } from './panel.ts'
import {
  average,
  CHOSEN,
  DURATION,
  FRONT_DOOR,
  grownByWhole,
  perSecond,
  quantile,
  REQUESTS,
  sum,
} from './promql.ts'

const chosen = (metric: string): string => `${metric}{${CHOSEN}}`
const clients = `${DURATION}_bucket{${FRONT_DOOR}}`

export const overview: Board = {
  uid: 'overview',
  title: 'Overview',
  about: 'What clients ask of the bank, how long it takes, and what it refuses.',
  panels: [
    timeseries('Requests', 'reqps', [[perSecond(chosen(REQUESTS), 'service'), '{{service}}']]),
    timeseries(
      'Latency at the front door',
      's',
      [
        [quantile(0.5, clients), 'half'],
        [quantile(0.95, clients), '95 %'],
        [quantile(0.99, clients), '99 %'],
      ],
      { showsTraces: true, about: 'A dot is one request, and leads to its trace.' },
    ),
    timeseries('Average latency', 's', [[average(DURATION, CHOSEN, 'service'), '{{service}}']]),
    timeseries('Latency of functions, 95 %', 's', [
      [quantile(0.95, chosen('http_request_duration_highr_seconds_bucket'), 'service'), '{{service}}'],
    ]),
    timeseries('Answers by status', 'reqps', [[perSecond(chosen(REQUESTS), 'status'), '{{status}}']]),
    timeseries('The busiest routes', 'reqps', [
      [`topk(12, ${perSecond(chosen(REQUESTS), 'service, handler')})`, '{{service}} {{handler}}'],
    ]),
    timeseries('Refusals', 'reqps', [
      [
        // Most of them are 0 all the time.
        `topk(10, ${perSecond('microbank_refusals_total', 'service, refusal')} > 0) or on() vector(0)`,
        '{{service}}: {{refusal}}',
      ],
    ]),
    timeseries('Calls between functions that failed', 'reqps', [
      [
        `${perSecond('microbank_calls_total{outcome!="ok"}', 'service, target, outcome')} or on() vector(0)`,
        '{{service}} to {{target}}: {{outcome}}',
      ],
    ]),
    timeseries('Average size', 'bytes', [
      [average('http_request_size_bytes', CHOSEN), 'requests'],
      [average('http_response_size_bytes', CHOSEN), 'answers'],
    ]),
    stat('Requests in this range', 'short', [[grownByWhole(REQUESTS, '$__range'), 'requests']]),
    pie('By Service', 'short', [[grownByWhole(REQUESTS, '$__range', 'service'), '{{service}}']]),
    stat(
      'Alerts',
      'short',
      [['count(ALERTS{alertstate="firing",severity!="none"}) or vector(0)', 'firing']],
      { colours: GOOD_AT_ZERO, about: 'docs/runbooks.md says what to do about each.' },
    ),
    stat('Requests that wait for a process', 'short', [[sum('microbank_requests_held'), 'waiting']]),
    stat('Release', 'short', [['microbank_build_info', '{{version}}']]),
  ],
}
