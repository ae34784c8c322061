/** The parts that the expressions of panels are made of. */

/** The Services that the reader has chosen. */
export const CHOSEN = 'service=~"$service"'
/** What clients ask of the bank, as they see it. */
export const FRONT_DOOR = 'service="front-door",handler=~"/api/.*"'
export const REQUESTS = 'http_requests_total'
export const DURATION = 'http_request_duration_seconds'

/** `sum by (labels) (...)`; without labels, the sum of all. */
export const sum = (expr: string, labels = ''): string =>
  labels ? `sum by (${labels}) (${expr})` : `sum(${expr})`

/** How much a counter grows in a second, at the resolution of the picture. */
export const perSecond = (counter: string, labels = ''): string =>
  sum(`rate(${counter}[$__rate_interval])`, labels)

/** How much a counter grows in a minute, over the last five: for what is seldom. */
export const perMinute = (counter: string, labels = ''): string =>
  `60 * ${sum(`rate(${counter}[5m])`, labels)}`

/** How much a counter has grown in a window. It is an estimate: docs/monitoring.md. */
export const grown = (counter: string, window: string, labels = ''): string =>
  sum(`increase(${counter}[${window}])`, labels)

/** The same of what comes one by one: an estimate of 3.07 log-ins is 3. */
export const grownByWhole = (counter: string, window: string, labels = ''): string =>
  `round(${grown(counter, window, labels)})`

/** How much a counter has grown in a day, exactly: for counters of facts, which never start from 0 again.
 * increase() would make of them more than there have ever been. */
export const today = (counter: string, labels = ''): string =>
  sum(`${counter} - min_over_time(${counter}[24h])`, labels)

/** The value below which a part of all observations lie. `buckets` is `<histogram>_bucket`, with its
 * selector. */
export const quantile = (part: number, buckets: string, labels = ''): string =>
  `histogram_quantile(${part}, ${perSecond(buckets, labels ? `le, ${labels}` : 'le')})`

/** The average of a histogram's or a summary's observations. */
export const average = (histogram: string, selector: string, labels = ''): string =>
  `${perSecond(`${histogram}_sum{${selector}}`, labels)} / ${perSecond(`${histogram}_count{${selector}}`, labels)}`

/** What a reader chose for a picture. Windows are durations of PromQL. */
export interface Chosen {
  /** A regular expression: `.*` is all Services. */
  service: string
  range: string
  rateInterval: string
}

/** Fills in what Grafana would fill in. What is not chosen is 15 minutes and all Services. */
export const filledIn = (
  expr: string,
  { service = '.*', range = '15m', rateInterval = '1m' }: Partial<Chosen> = {},
): string =>
  expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__range', range)
    .replaceAll('$service', service)
