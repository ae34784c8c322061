import { defineTexts } from '../../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Metrics',
    intro: 'The dashboards of monitoring/dashboards, answered by Prometheus.',
    dashboard: 'Dashboard',
    range: 'Time',
    ranges: { '15m': '15 minutes', '1h': 'An hour', '6h': 'Six hours', '24h': 'A day' },
    service: 'Function',
    allServices: 'All',
    empty: 'Nothing yet',
    failed: 'Prometheus could not answer this.',
    leftOut: (count: string) => `And ${count} more, none of them higher.`,
    until: (time: string) => `At ${time}`,
    now: 'Now',
    none: 'none',
    picture: (title: string, from: string, to: string) => `${title}: from ${from} to ${to}`,
    upTo: (bound: string) => `up to ${bound}`,
    above: (bound: string) => `above ${bound}`,
    whyNot: {
      'no-monitor':
        'No Prometheus watches this bank, so there is nothing to show. Run npm run monitor in a second terminal, in the folder of the bank. It starts Prometheus, or says how to install it. The pictures come by themselves half a minute later.',
      'no-answer':
        'The Prometheus that the settings name does not answer. On a cluster the module monitoring brings one: skaffold run -m monitoring. On a laptop, look at the terminal of npm run monitor.',
      'not-set': 'The settings name no Prometheus to ask (knative/config.yaml).',
    },
  },
  de: {
    title: 'Messwerte',
    intro: 'Die Dashboards aus monitoring/dashboards, mit den Antworten von Prometheus.',
    dashboard: 'Dashboard',
    range: 'Zeitraum',
    ranges: { '15m': '15 Minuten', '1h': 'Eine Stunde', '6h': 'Sechs Stunden', '24h': 'Ein Tag' },
    service: 'Funktion',
    allServices: 'Alle',
    empty: 'Noch nichts',
    failed: 'Prometheus konnte darauf nicht antworten.',
    leftOut: (count) => `Und ${count} weitere, keine davon höher.`,
    until: (time) => `Um ${time}`,
    now: 'Jetzt',
    none: 'keine',
    picture: (title, from, to) => `${title}: von ${from} bis ${to}`,
    upTo: (bound) => `bis ${bound}`,
    above: (bound) => `über ${bound}`,
    whyNot: {
      'no-monitor':
        'Kein Prometheus beobachtet diese Bank, darum gibt es nichts zu zeigen. Starten Sie in einem zweiten Terminal, im Ordner der Bank: npm run monitor. Das startet Prometheus oder sagt, wie man ihn installiert. Die Bilder kommen eine halbe Minute später von selbst.',
      'no-answer':
        'Der Prometheus, den die Einstellungen nennen, antwortet nicht. Auf einem Cluster bringt das Modul monitoring einen mit: skaffold run -m monitoring. Auf dem eigenen Rechner hilft ein Blick in das Terminal von npm run monitor.',
      'not-set':
        'Die Einstellungen nennen keinen Prometheus, den die Seite fragen kann (knative/config.yaml).',
    },
  },
})
