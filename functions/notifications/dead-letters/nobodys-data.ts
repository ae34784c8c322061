/** Why reading groups and redrives is in no audit. Whoever watches a redrive asks each second. */
export const nobodysData = { nothing: 'it shows counts, and nobody’s data' } as const
