import { defineTexts } from '../texts/define-texts.ts'

const en = {
  home: 'Accounts',
  move: 'Move money',
  payments: 'Payments',
  orders: 'Orders',
  notifications: 'Messages',
  documents: 'Documents',
  me: 'Profile',
  needs: 'To do',
  deadLetters: 'Dead letters',
  disputes: 'Disputes',
  customers: 'Customers',
  audit: 'Audit',
  limits: 'Limits and fees',
  payouts: 'Payouts',
  coldStarts: 'Cold starts',
  events: 'Events',
  metrics: 'Metrics',
  ledger: 'Ledger',
  engine: 'Map',
  mail: 'Mail',
  lab: 'Break it',
}

/** What the menu calls its pages. */
export type MenuName = keyof typeof en

export const menuTexts = defineTexts({
  en,
  de: {
    home: 'Konten',
    move: 'Geld bewegen',
    payments: 'Zahlungen',
    orders: 'Aufträge',
    notifications: 'Mitteilungen',
    documents: 'Dokumente',
    me: 'Profil',
    needs: 'Zu tun',
    deadLetters: 'Unzustell\u00adbar',
    disputes: 'Streitfälle',
    customers: 'Kunden',
    audit: 'Protokoll',
    limits: 'Limits und Gebühren',
    payouts: 'Sammel\u00adzahlungen',
    coldStarts: 'Kaltstarts',
    events: 'Ereignisse',
    metrics: 'Messwerte',
    ledger: 'Hauptbuch',
    engine: 'Karte',
    mail: 'Post',
    lab: 'Kaputt\u00admachen',
  },
})
