import { GOOD_AT_ONE, stat, timeseries, type Board } from './panel.ts'
import { CHOSEN, perMinute, perSecond, quantile, sum } from './promql.ts'

const CLUSTER = { clusterOnly: true, about: 'On a cluster only.' }

export const system: Board = {
  uid: 'system',
  title: 'System health',
  about: 'Memory, processor time, databases and connections.',
  panels: [
    timeseries('Memory', 'bytes', [
      [sum(`process_resident_memory_bytes{${CHOSEN}}`, 'service'), '{{service}}'],
    ]),
    timeseries('Processor time', 'percentunit', [
      [perSecond(`process_cpu_seconds_total{${CHOSEN}}`, 'service'), '{{service}}'],
    ]),
    timeseries('Open files, of those allowed', 'percentunit', [
      [
        `max by (service) (process_open_fds{${CHOSEN}}) / max by (service) (process_max_fds{${CHOSEN}})`,
        '{{service}}',
      ],
    ]),
    timeseries('Age of the oldest process', 's', [
      [`time() - process_start_time_seconds{${CHOSEN}}`, '{{service}}'],
    ]),
    timeseries('Memory of JavaScript', 'bytes', [
      [sum(`nodejs_heap_size_used_bytes{${CHOSEN}}`, 'service'), '{{service}}'],
    ]),
    timeseries('Collections of garbage', 'ops', [
      [perSecond(`nodejs_gc_duration_seconds_count{${CHOSEN}}`, 'service, kind'), '{{service}} {{kind}}'],
    ]),
    timeseries('How late the event loop is, 99 %', 's', [
      [`max by (service) (nodejs_eventloop_lag_p99_seconds{${CHOSEN}})`, '{{service}}'],
    ]),
    stat('Ready', 'short', [['min by (kind) (microbank_ready)', '{{kind}}']], { colours: GOOD_AT_ONE }),
    stat('Scraped', 'short', [['min by (job) (up)', '{{job}}']], { colours: GOOD_AT_ONE }),
    timeseries('Reports to the meter', 'ops', [
      [perSecond('microbank_meter_reports_total', 'result'), '{{result}}'],
    ]),
    stat('Databases', 'short', [['min by (context) (pg_up)', '{{context}}']], { colours: GOOD_AT_ONE }),
    timeseries('Connections used, of those allowed', 'percentunit', [
      [
        'sum by (context) (pg_stat_activity_connections) / on (context) pg_settings_max_connections',
        '{{context}}',
      ],
    ]),
    timeseries('Oldest open transaction', 's', [['pg_stat_activity_max_tx_duration', '{{context}}']]),
    timeseries('Size of the databases', 'bytes', [['pg_database_size_bytes', '{{context}}']]),
    timeseries('Commits', 'ops', [
      [perSecond('pg_stat_database_xact_commit_total', 'context'), '{{context}}'],
    ]),
    timeseries('Deadlocks', 'ops', [
      [perSecond('pg_stat_database_deadlocks_total', 'context'), '{{context}}'],
    ]),
    timeseries('Room on disks', 'percentunit', [
      ['microbank_disk_free_bytes / microbank_disk_size_bytes', '{{volume}}'],
    ]),
    stat('Last backup', 's', [['time() - microbank_backup_timestamp_seconds', '{{context}}: ago']], CLUSTER),
    stat(
      'Certificates are valid for',
      's',
      [['microbank_certificate_expiry_timestamp_seconds - time()', '{{name}}']],
      CLUSTER,
    ),
    timeseries('Connections of functions', 'short', [
      [sum(`microbank_database_pool{${CHOSEN}}`, 'service, state'), '{{service}} {{state}}'],
    ]),
    timeseries('Slow statements, 95 %', 's', [
      [`topk(10, ${quantile(0.95, 'microbank_database_seconds_bucket', 'statement')})`, '{{statement}}'],
    ]),
    timeseries('Failed statements', 'ops', [
      [
        `${perSecond('microbank_database_errors_total', 'service, kind')} or on() vector(0)`,
        '{{service}} {{kind}}',
      ],
    ]),
    timeseries('Warnings and errors in logs, a minute', 'short', [
      [perMinute('microbank_log_lines_total', 'service, level'), '{{service}} {{level}}'],
    ]),
  ],
}
