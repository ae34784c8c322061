import type { LabRun } from './run-schema.ts'
import { scenarioOf } from './scenarios.ts'

const MEANINGS: Readonly<Record<LabRun['invariants'][number]['id'], string>> = {
  money: 'The accounts hold what was paid in, less what was paid out',
  answers: 'Every answered transaction is in the books, and every transaction was answered',
  once: 'Nothing was booked that nobody was told of',
  keys: 'A repeated key has the same answer',
  events: 'Every event took effect once, or is kept as a dead letter',
  ledger: 'The books are proved: sums, limits, balances, chains, holds',
  poison: 'What nobody can process is kept',
}

/** Writes a run as Markdown, for people. All of it is in the JSON too. */
export function reportOf(run: LabRun): string {
  const { scenario, verdict, counts, seed, version, commit, traffic, seconds } = run
  const hypothesis = scenario === null ? undefined : scenarioOf(scenario)?.hypothesis
  return [
    `# Lab run ${run.id}`,
    ...(hypothesis === undefined ? [] : [`> ${hypothesis}`]),
    `**Verdict: ${verdict ?? 'it goes on'}**${verdict === 'unproven' ? ' (nothing moved)' : ''}${run.ended_by ? `, ended by ${ENDS[run.ended_by]}` : ''}.`,
    table(
      ['', ''],
      [
        ['seed', String(seed)],
        ['version', version],
        ['commit', commit ?? 'not known'],
        ['scenario', scenario ?? 'made by hand'],
        ['traffic', `${traffic.per_second} transactions a second for ${seconds} s`],
        ['began', run.began_at ?? 'not at all'],
        ['ended', run.ended_at ?? 'not yet'],
      ],
    ),
    '## Figures',
    table(
      ['figure', 'count'],
      Object.entries(counts).map(([name, value]) => [name.replaceAll('_', ' '), String(value)]),
    ),
    '## Invariants',
    table(
      ['', 'state', 'found'],
      run.invariants.map(({ id, state, found }) => [MEANINGS[id], state, found]),
    ),
    '## Faults',
    run.faults.length === 0
      ? 'None.'
      : run.faults.map((fault) => `- \`${JSON.stringify(fault)}\``).join('\n'),
    ...(run.story.length === 0
      ? []
      : [
          table(
            ['ms', 'fault', 'where'],
            run.story.map((line) => [String(line.at_ms), line.fault, line.place]),
          ),
        ]),
    ...(run.evidence.length === 0 ? [] : ['## Evidence', run.evidence.map((line) => `- ${line}`).join('\n')]),
    '## Again',
    'The same seed makes the same plan and the same choices. What it meets depends on the machine.',
    `    ${JSON.stringify({ faults: run.faults, traffic, seconds, seed })}`,
  ]
    .join('\n\n')
    .concat('\n')
}

const ENDS: Readonly<Record<NonNullable<LabRun['ended_by']>, string>> = {
  time: 'its time',
  stop: 'an operator',
  red: 'what it found',
  failure: 'a failure of the run itself',
  bank: 'the end of the bank',
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** What was found may hold anything, and must not end its cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ')
