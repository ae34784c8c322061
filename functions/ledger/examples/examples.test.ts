import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { testDatabase } from '../../../tests/support/databases.ts'

/** The examples are part of the ledger's documentation. Each runs, and must give the output in the file
 * beside it. `RENEW_EXAMPLES=1 npx jest functions/ledger/examples` writes those files again; check the
 * difference. */

test.each(readdirSync(__dirname).filter((file) => file.endsWith('.sql')))(
  '%s gives the output in the file beside it',
  async (file) => {
    const shown = join(__dirname, file.replace(/\.sql$/, '.out'))
    const output = await run(readFileSync(join(__dirname, file), 'utf8'))
    if (process.env.RENEW_EXAMPLES) writeFileSync(shown, output)
    expect(output).toBe(readFileSync(shown, 'utf8'))
  },
)

/** Runs the statements one by one, as the owner of a new ledger. Returns them with their results, as psql
 * shows them. */
async function run(sql: string): Promise<string> {
  const database = await testDatabase('ledger')
  const client = new pg.Client({ connectionString: database.ownerUrl })
  await client.connect()
  try {
    let output = ''
    // A statement ends with a semicolon at the end of a line. Comments stay with the statement that they
    // explain.
    for (const statement of sql.split(/(?<=;)\n/).filter((text) => text.trim() !== '')) {
      output += `${statement.trim()}\n${await resultOf(client, statement)}\n`
    }
    return output
  } finally {
    await client.end()
    await database.drop()
  }
}

async function resultOf(client: pg.Client, statement: string): Promise<string> {
  try {
    const { fields, rows } = await client.query<unknown[]>({ text: statement, rowMode: 'array' })
    if (fields.length === 0) return ''
    return table([
      fields.map(({ name }) => name),
      ...rows.map((row) => row.map((value) => String(value ?? ''))),
    ])
  } catch (error) {
    return `ERROR: ${(error as Error).message}\n`
  }
}

/** Formats rows as columns of equal width; the first row holds the headings. */
function table(rows: string[][]): string {
  const widths = rows[0]!.map((_head, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join(' | ')
      .trimEnd(),
  )
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('-+-'), ...lines.slice(1), ''].join('\n')
}
