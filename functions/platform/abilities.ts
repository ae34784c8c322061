/** What the pages can show of this installation beyond what runs. A page asks for it, and says why if it has
 * nothing to show. */
export const abilitiesOf = (isLocal: boolean) => ({ lab: isLocal, traces: isLocal, logs: isLocal })
