import { defineTexts } from '../../texts/define-texts.ts'

/** What pages of the Back office have in common. */
export const texts = defineTexts({
  en: {
    audited: 'You read a customer’s data. Each reading is in the audit, under your name.',
    reason: 'Reason',
    reasonHint: 'It is kept with the change, and the customer can read it.',
    customer: 'Customer',
    operator: 'Operator',
    accountStates: { open: 'Open', frozen: 'Frozen', closed: 'Closed' },
    allEntries: 'All entries',
    noEntry: 'No entry among the newest.',
    invariants: {
      M: 'The balances of a currency add up to zero',
      N: 'No account is below its limit',
      B: 'A balance is the sum of its entries, and the hash chains hold',
    },
  },
  de: {
    audited: 'Sie sehen Kundendaten. Jeder Zugriff wird mit Ihrem Namen protokolliert.',
    reason: 'Grund',
    reasonHint: 'Er wird zur Änderung gespeichert, und der Kunde kann ihn lesen.',
    customer: 'Kunde',
    operator: 'Mitarbeiter',
    accountStates: { open: 'Offen', frozen: 'Gesperrt', closed: 'Geschlossen' },
    allEntries: 'Alle Einträge',
    noEntry: 'Unter den neuesten ist kein passender Eintrag.',
    invariants: {
      M: 'Die Salden einer Währung ergeben zusammen null',
      N: 'Kein Konto ist unter seinem Limit',
      B: 'Jeder Saldo ist die Summe seiner Einträge, und die Hash-Ketten sind unversehrt',
    },
  },
})
