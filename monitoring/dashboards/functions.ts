import { heatmap, stat, table, timeseries, type Board } from './panel.ts'
import { CHOSEN, grown, grownByWhole, quantile, REQUESTS } from './promql.ts'

const STARTED = 'microbank_processes_started_total'
const COLD_START = 'microbank_cold_start_seconds_bucket'

export const functions: Board = {
  uid: 'functions',
  title: 'Functions and cold starts',
  about: 'How functions come from zero and go back, and what a request costs.',
  panels: [
    timeseries('Processes', 'short', [[`microbank_processes{state="ready",${CHOSEN}}`, '{{service}}']]),
    stat('Asleep', 'short', [
      ['count(microbank_processes{state="ready"} == 0) or vector(0)', 'functions at zero'],
    ]),
    timeseries('Requests that wait for a process', 'short', [
      [`microbank_requests_held{${CHOSEN}}`, '{{service}}'],
    ]),
    timeseries('Starts in an hour', 'short', [
      [grownByWhole(`${STARTED}{${CHOSEN}}`, '1h', 'service'), '{{service}}'],
    ]),
    timeseries('Cold starts by phase, 95 %', 's', [
      [`histogram_quantile(0.95, sum by (le, phase) (rate(${COLD_START}{${CHOSEN}}[1h])))`, '{{phase}}'],
    ]),
    timeseries('Cold starts by function, boot, 95 %', 's', [
      [quantile(0.95, `${COLD_START}{phase="boot",${CHOSEN}}`, 'service'), '{{service}}'],
    ]),
    heatmap('Boot', 's', [[grown(`${COLD_START}{phase="boot"}`, '$__rate_interval', 'le'), '{{le}}']]),
    stat('Requests that met a cold start', 'percentunit', [
      [`${grown(STARTED, '1h')} / ${grown(REQUESTS, '1h')}`, 'of all in an hour'],
    ]),
    table('What a request costs: milliseconds of a processor', 'ms', [
      [
        `1000 * ${grown('process_cpu_seconds_total', '1h', 'service')} / ${grown(REQUESTS, '1h', 'service')}`,
        '{{service}}',
      ],
    ]),
    table('What a thousand requests cost: gigabyte-seconds', 'short', [
      [
        `${grown('microbank_memory_byte_seconds_total', '1h', 'service')} / 1e6 / ${grown(REQUESTS, '1h', 'service')}`,
        '{{service}}',
      ],
    ]),
  ],
}
