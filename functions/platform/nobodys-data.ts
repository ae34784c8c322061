/** What routes leave in the audit that show what runs, and nobody's data. */
export const nobodysData = { nothing: 'it shows what runs, and nobody’s data' } as const
