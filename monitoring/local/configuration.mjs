import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { RUNTIME_HOST } from './passage.mjs'

const monitoring = join(fileURLToPath(import.meta.url), '../..')
const SCRAPE_INTERVAL = '5s'
const RULE_FILES = ['slo.yaml', 'alerts.yaml'].map((name) => join(monitoring, 'rules', name))

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
 * @param {boolean} atOnce whether alerts fire as soon as they are true, without their `for`
 */
export function writePrometheus(file, { passage, alertmanager, node }, atOnce) {
  const at = (/** @type {number} */ port) => [{ targets: [`127.0.0.1:${port}`] }]
  write(
    file,
    stringify({
      global: { scrape_interval: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
      rule_files: atOnce ? writeWithoutFor(join(dirname(file), 'rules-at-once')) : RULE_FILES,
      ...(alertmanager && { alerting: { alertmanagers: [{ static_configs: at(alertmanager) }] } }),
      scrape_configs: [
        { job_name: 'meter', static_configs: at(passage) },
        ...(node ? [{ job_name: 'node', static_configs: at(node) }] : []),
      ],
    }),
  )
}

/**
 * Writes the rules, without the `for` of alerts. Returns the files.
 * @param {string} folder
 */
const writeWithoutFor = (folder) =>
  RULE_FILES.map((source) => {
    const rules = parse(readFileSync(source, 'utf8'))
    for (const group of rules.groups) for (const rule of group.rules) delete rule.for
    const file = join(folder, basename(source))
    write(file, stringify(rules))
    return file
  })

/**
 * Writes what Grafana is told at its start: the data source and where the dashboards are.
 * @param {string} folder
 * @param {{ bank: number, prometheus: number }} ports
 */
export function writeGrafana(folder, ports) {
  const fill = (/** @type {string} */ name) =>
    readFileSync(join(monitoring, 'grafana', name), 'utf8')
      .replaceAll('${PROMETHEUS}', `http://127.0.0.1:${ports.prometheus}`)
      .replaceAll('${SCRAPE_INTERVAL}', SCRAPE_INTERVAL)
      .replaceAll('${TRACES}', `http://${RUNTIME_HOST}:${ports.bank}/traces/`)
      .replaceAll('${DASHBOARDS}', join(monitoring, 'grafana/dashboards'))
  write(join(folder, 'datasources/microbank.yaml'), fill('datasources.yaml'))
  write(join(folder, 'dashboards/microbank.yaml'), fill('dashboards.yaml'))
}

function write(/** @type {string} */ file, /** @type {string} */ text) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, text)
}
