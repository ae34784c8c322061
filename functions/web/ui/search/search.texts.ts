import { defineTexts } from '../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Search',
    hint: {
      customer: 'Accounts, transactions, pages',
      operator: 'Customers, accounts, transactions, functions, pages, or any id',
    },
    kinds: {
      pages: 'Pages',
      accounts: 'Accounts',
      functions: 'Functions',
      people: 'People',
      transactions: 'Transactions',
      events: 'Events',
    },
    short: 'Type at least two letters or digits.',
    searching: 'Searching…',
    none: 'Nothing found.',
    found: (count: string) => `Found: ${count}`,
    failed: (kind: string, why: string) => `${kind}: ${why}`,
    audited: 'Each search for customers’ data is in the audit, under your name.',
    roles: { customer: 'Customer', operator: 'Operator' },
    types: {
      deposit: 'Deposit',
      withdrawal: 'Withdrawal',
      transfer: 'Transfer',
      reversal: 'Reversal',
    },
  },
  de: {
    title: 'Suche',
    hint: {
      customer: 'Konten, Buchungen, Seiten',
      operator: 'Kunden, Konten, Buchungen, Funktionen, Seiten oder jede ID',
    },
    kinds: {
      pages: 'Seiten',
      accounts: 'Konten',
      functions: 'Funktionen',
      people: 'Personen',
      transactions: 'Buchungen',
      events: 'Ereignisse',
    },
    short: 'Geben Sie mindestens zwei Buchstaben oder Ziffern ein.',
    searching: 'Wird gesucht …',
    none: 'Nichts gefunden.',
    found: (count) => `Gefunden: ${count}`,
    failed: (kind, why) => `${kind}: ${why}`,
    audited: 'Jede Suche nach Daten von Kunden steht mit Ihrem Namen im Protokoll.',
    roles: { customer: 'Kunde', operator: 'Mitarbeiter' },
    types: {
      deposit: 'Einzahlung',
      withdrawal: 'Auszahlung',
      transfer: 'Überweisung',
      reversal: 'Storno',
    },
  },
})
