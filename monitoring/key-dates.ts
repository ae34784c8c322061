/** Returns when the newest key of each Secret was made, in seconds since 1970, as the public keys say
 * (`iat`). Keys of calls name their context (`iss`). Secrets whose keys have no date are left out. */
export function keyDates(publicKeys: readonly Readonly<Record<string, unknown>>[]): Record<string, number> {
  const dates: Record<string, number> = {}
  for (const { iat, iss } of publicKeys) {
    const secret = typeof iss === 'string' ? `${iss}-calls` : 'token-signing-key'
    if (typeof iat === 'number') dates[secret] = Math.max(iat, dates[secret] ?? 0)
  }
  return dates
}
