import { defineTexts, useTexts } from './define-texts.ts'

const texts = defineTexts({
  en: { checking: 'Checking account', savings: 'Savings account' },
  de: { checking: 'Girokonto', savings: 'Sparkonto' },
})

export interface NamedAccount {
  name: string | null
  number: string
  account_type: 'checking' | 'savings'
}

/** Returns what names an account: what its owner calls it, else what it is. */
export function useAccountName(): (account: Omit<NamedAccount, 'number'>) => string {
  const said = useTexts(texts)
  return ({ name, account_type: type }) => name ?? said[type]
}

/** Returns an account number in groups of four, as people read it. */
export const groupsOf = (number: string): string => number.replace(/(?<=^(?:.{4})+)(?!$)/g, '\u00a0')

/** Returns what a payee was asked for by, as people read it: an account number, or an address. */
export const askedAs = (asked: string): string =>
  asked.includes('@') ? asked : groupsOf(asked.replaceAll(/\s/g, ''))

/** Returns what names an account beside others: its name and its number. */
export function useAccountLabel(): (account: NamedAccount) => string {
  const nameOf = useAccountName()
  return (account) => `${nameOf(account)} · ${groupsOf(account.number)}`
}
