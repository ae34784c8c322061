import { useKeyedAct, type HowToSend } from './keyed-act.ts'

/** Does what an operator decides. It is in the audit, which is read again too. */
export const useOfficeAct = <Given, Made>(
  act: (given: Given, how: HowToSend) => Promise<Made>,
  words: readonly string[],
) => useKeyedAct(act, [...words, 'audit'])
