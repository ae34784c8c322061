/** What routes leave in the audit that show groups and redrives. Whoever watches a redrive asks each
 * second. */
export const nobodysData = { nothing: 'it shows counts, and nobody’s data' } as const
