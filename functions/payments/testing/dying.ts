import type { Tools } from '../../host/tools.ts'

/** Tools that end at the nth step as a killed process does: before the step, or after it was done. */
export function dying(tools: Tools, at: number, when: 'before' | 'after'): Tools {
  let step = 0
  const wrap =
    <A extends unknown[], R>(work: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      const dies = step++ >= at
      if (dies && when === 'before') throw new Error('killed')
      const result = await work(...given)
      if (dies) throw new Error('killed')
      return result
    }
  const { db } = tools
  return {
    ...tools,
    db: { ...db, query: wrap(db.query), transaction: wrap(db.transaction) } as Tools['db'],
    transact: wrap(tools.transact) as Tools['transact'],
    callFor: (...given) => wrap(tools.callFor(...given)),
  }
}
