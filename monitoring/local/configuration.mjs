import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { RUNTIME_HOST } from './passage.mjs'

const monitoring = join(fileURLToPath(import.meta.url), '../..')

/**
 * Where things are that Prometheus reads, by their ports on this machine.
 * @typedef {object} Neighbours
 * @property {number} passage
 * @property {number} [alertmanager]
 * @property {number} [node] node_exporter, which measures the machine
 */

/**
 * Writes the configuration of a Prometheus that reads the bank, with the rules of the bank.
 * @param {string} file
 * @param {Neighbours} neighbours
 */
export function writePrometheus(file, { passage, alertmanager, node }) {
  const at = (/** @type {number} */ port) => [{ targets: [`127.0.0.1:${port}`] }]
  write(
    file,
    stringify({
      global: { scrape_interval: '5s', evaluation_interval: '5s' },
      rule_files: ['slo.yaml', 'alerts.yaml'].map((name) => join(monitoring, 'rules', name)),
      ...(alertmanager && { alerting: { alertmanagers: [{ static_configs: at(alertmanager) }] } }),
      scrape_configs: [
        { job_name: 'meter', static_configs: at(passage) },
        ...(node ? [{ job_name: 'node', static_configs: at(node) }] : []),
      ],
    }),
  )
}

/**
 * Writes what Grafana is told at its start: the data source and where the dashboards are.
 * @param {string} folder
 * @param {{ bank: number, prometheus: number }} ports
 */
export function writeGrafana(folder, ports) {
  const fill = (/** @type {string} */ name) =>
    readFileSync(join(monitoring, 'grafana', name), 'utf8')
      .replaceAll('${PROMETHEUS_URL}', `http://127.0.0.1:${ports.prometheus}`)
      .replaceAll('${TRACES_URL}', `http://${RUNTIME_HOST}:${ports.bank}/traces/`)
      .replaceAll('${DASHBOARDS}', join(monitoring, 'grafana/dashboards'))
  write(join(folder, 'datasources/microbank.yaml'), fill('datasources.yaml'))
  write(join(folder, 'dashboards/microbank.yaml'), fill('dashboards.yaml'))
}

function write(/** @type {string} */ file, /** @type {string} */ text) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, text)
}
