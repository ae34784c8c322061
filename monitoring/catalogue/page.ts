import type { Instrument, LabelValues, MeasuredBy } from './instrument.ts'

const chapters: Readonly<Record<MeasuredBy, { title: string; about: string }>> = {
  process: {
    title: 'What functions count',
    about:
      'A process of a function reports what it counted since its last report. A process that is killed takes at most ' +
      'the last ten seconds with it.',
  },
  fact: {
    title: 'What the databases know',
    about: 'The meter asks each context’s database. These are exact, whatever happened to processes.',
  },
  platform: {
    title: 'What the platform knows',
    about: 'On a laptop, the local runtime measures it.',
  },
  meter: { title: 'What the meter knows', about: 'The meter measures it itself.' },
}

/** Returns the page that lists the catalogue, as Markdown. */
export function metricsPage(catalogue: readonly Instrument[]): string {
  const parts = Object.entries(chapters).map(([by, { title, about }]) =>
    [
      `## ${title}`,
      about,
      catalogue
        .filter((one) => one.by === by)
        .map(entry)
        .join('\n'),
    ].join('\n\n'),
  )
  return `${[INTRODUCTION, ...parts].join('\n\n')}\n`
}

const INTRODUCTION = `# Metrics

<!-- Written by \`npm run metrics-page\` from monitoring/catalogue.ts; change that, then run it. -->

Every metric of the bank. [monitoring.md](monitoring.md) says how they come together and where to read them. Labels are closed sets: an id, a
name, an address, an amount or a trace id is never one.`

function entry({ name, type, unit, labels, buckets, over, why }: Instrument): string {
  const by = Object.entries(labels).map(([label, values]) => `\`${label}\` (${shown(values)})`)
  const parts = [
    `${type}, in ${unit}`,
    ...(by.length > 0 ? [`by ${by.join(', ')}`] : []),
    ...(over ? [`the ${over} of a Service’s processes`] : []),
    ...(buckets ? [`buckets ${buckets[0]} to ${buckets.at(-1)}`] : []),
  ]
  return `- **\`${name}\`** ${why}\n  ${parts.join('; ')}.`
}

const shown = (values: LabelValues): string =>
  'pattern' in values ? `names of ${values.of}` : values.join(', ')
