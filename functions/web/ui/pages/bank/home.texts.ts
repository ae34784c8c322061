import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Your accounts',
    totals: 'In total',
    accounts: 'Accounts',
    noAccounts: 'You have no account yet. It costs nothing, and is there at once.',
    noAccountsOfOperator:
      'You are signed in as an operator, and have no account. Open one, or sign out and sign up as a customer, to see what customers see. The API is at /docs.',
    open: 'Open an account',
    openIt: 'Open it',
    kind: 'Kind',
    currency: 'Currency',
    kinds: { checking: 'Checking account', savings: 'Savings account' },
    available: 'Available',
    frozen: 'Frozen',
    closed: 'Closed',
    nextOrders: 'Next orders',
    noOrders: 'No order is due.',
    noDescription: 'Order',
  },
  de: {
    title: 'Ihre Konten',
    totals: 'Zusammen',
    accounts: 'Konten',
    noAccounts: 'Sie haben noch kein Konto. Es kostet nichts und ist sofort da.',
    noAccountsOfOperator:
      'Sie sind als Betreuung angemeldet und haben kein Konto. Eröffnen Sie eines, oder melden Sie sich ab und als Kundin oder Kunde neu an, um deren Seiten zu sehen. Die API steht unter /docs.',
    open: 'Konto eröffnen',
    openIt: 'Eröffnen',
    kind: 'Art',
    currency: 'Währung',
    kinds: { checking: 'Girokonto', savings: 'Sparkonto' },
    available: 'Verfügbar',
    frozen: 'Gesperrt',
    closed: 'Geschlossen',
    nextOrders: 'Nächste Aufträge',
    noOrders: 'Es ist kein Auftrag fällig.',
    noDescription: 'Auftrag',
  },
})
