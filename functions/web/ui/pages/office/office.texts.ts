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
      M: { name: 'M: Sums', says: 'The balances of a currency add up to zero.' },
      N: { name: 'N: Limits', says: 'No account is below its limit.' },
      B: {
        name: 'B: Balances and chains',
        says: 'A balance is the sum of its entries, and the hash chains are whole.',
      },
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
      M: { name: 'M: Summen', says: 'Die Salden einer Währung ergeben zusammen null.' },
      N: { name: 'N: Limits', says: 'Kein Konto ist unter seinem Limit.' },
      B: {
        name: 'B: Salden und Ketten',
        says: 'Jeder Saldo ist die Summe seiner Einträge, und die Hash-Ketten sind unversehrt.',
      },
    },
  },
})
