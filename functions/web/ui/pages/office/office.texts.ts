import { defineTexts } from '../../texts/define-texts.ts'

/** What pages about customers and about their accounts have in common. */
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
  },
  de: {
    audited: 'Sie lesen Daten eines Kunden. Jedes Lesen steht mit Ihrem Namen im Protokoll.',
    reason: 'Grund',
    reasonHint: 'Er bleibt bei der Änderung, und der Kunde kann ihn lesen.',
    customer: 'Kunde',
    operator: 'Betreuer',
    accountStates: { open: 'Offen', frozen: 'Gesperrt', closed: 'Geschlossen' },
    allEntries: 'Alle Einträge',
    noEntry: 'Unter den neuesten ist kein Eintrag.',
  },
})
