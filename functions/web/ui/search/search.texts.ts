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
    short: 'Type two letters or more.',
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
    api: 'The API, to read and to try',
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
    short: 'Geben Sie mindestens zwei Buchstaben ein.',
    searching: 'Wird gesucht …',
    none: 'Nichts gefunden.',
    found: (count) => `Gefunden: ${count}`,
    failed: (kind, why) => `${kind}: ${why}`,
    audited: 'Jede Suche nach Daten von Kunden steht mit Ihrem Namen im Protokoll.',
    roles: { customer: 'Kunde', operator: 'Betreuer' },
    types: {
      deposit: 'Einzahlung',
      withdrawal: 'Auszahlung',
      transfer: 'Überweisung',
      reversal: 'Rückbuchung',
    },
    api: 'Die API zum Lesen und Probieren',
  },
})
