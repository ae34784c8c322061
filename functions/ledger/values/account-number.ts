/** Schema of an account number: ten digits, the first not zero, and two check digits. */
export const accountNumberSchema = { type: 'string', pattern: '^[1-9][0-9]{11}$' } as const

/** Says whether the check digits of a number of accountNumberSchema are right: by ISO 7064, MOD 97-10, the
 * whole number leaves 1 when divided by 97. */
export const hasCheckDigits = (number: string): boolean => Number(number) % 97 === 1
