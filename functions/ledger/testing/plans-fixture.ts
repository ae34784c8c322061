import { Client } from 'pg'
import type { Database } from '../../host/database/database.ts'
import type { TestDatabase } from '../../../tests/support/databases.ts'

/** One node of an executed plan. */
export interface PlanNode {
  type: string
  /** Table that it reads or writes, if any. */
  relation: string | undefined
  index: string | undefined
  /** Rows that it read, in all its loops: those it returned and those it filtered out. */
  rows: number
}

/** An executed statement, or a statement inside an executed function. */
export interface Plan {
  statement: string
  /** Database pages that it read, from memory or disk, including the statements inside its functions. */
  buffers: number
  nodes: PlanNode[]
}

/** A database that records the executed plan of every statement, also of those inside functions. */
export interface ExplainingDatabase extends Database {
  /** Returns the plans since the last call. */
  plans(): Plan[]
}

const SETUP = [
  `load 'auto_explain'`,
  `set auto_explain.log_min_duration = 0`,
  `set auto_explain.log_analyze = on`,
  `set auto_explain.log_timing = off`,
  `set auto_explain.log_buffers = on`,
  `set auto_explain.log_nested_statements = on`,
  `set auto_explain.log_format = json`,
  `set auto_explain.log_level = notice`,
]

/** Connects as a superuser, who may load auto_explain, then continues as the functions' role. It is one
 * connection, so named statements are prepared there, and get a generic plan after five executions, as in a
 * function. */
export async function explainingDatabase(database: TestDatabase, role: string): Promise<ExplainingDatabase> {
  const url = new URL(database.superuserUrl)
  url.pathname = `/${database.name}`
  const { types } = await import('pg')
  const client = new Client({ connectionString: url.href })
  client.setTypeParser(types.builtins.INT8, BigInt)
  await client.connect()
  for (const statement of [...SETUP, `set session authorization ${role}`]) await client.query(statement)
  let plans: Plan[] = []
  client.on('notice', ({ message = '' }) => {
    const [, json] = /^duration: .* plan:\n(.*)$/s.exec(message) ?? []
    if (json) plans.push(toPlan(JSON.parse(json) as Explained))
  })
  const query: Database['query'] = async (statement) => (await client.query(statement)).rows
  return {
    query,
    transaction: async (work) => {
      await client.query('begin')
      const result = await work({ query })
      await client.query('commit')
      return result
    },
    close: () => client.end(),
    plans: () => {
      const since = plans
      plans = []
      return since
    },
  }
}

interface Explained {
  'Query Text': string
  Plan: ExplainedNode
}

interface ExplainedNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Shared Hit Blocks'?: number
  'Shared Read Blocks'?: number
  'Rows Removed by Filter'?: number
  'Rows Removed by Join Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: ExplainedNode[]
}

const toPlan = ({ 'Query Text': statement, Plan: root }: Explained): Plan => ({
  statement,
  buffers: (root['Shared Hit Blocks'] ?? 0) + (root['Shared Read Blocks'] ?? 0),
  nodes: flatten(root),
})

function flatten(node: ExplainedNode): PlanNode[] {
  const removed =
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Join Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0)
  const here = {
    type: node['Node Type'],
    relation: node['Relation Name'],
    index: node['Index Name'],
    // Postgres gives the mean per loop.
    rows: Math.round((node['Actual Rows'] + removed) * node['Actual Loops']),
  }
  return [here, ...(node.Plans ?? []).flatMap(flatten)]
}
