import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'What needs attention',
    newest: (count: string) => `Of the newest ${count} of each kind.`,
    letters: {
      title: 'Dead letters',
      none: 'No event waits for anybody.',
      some: (count: string, groups: string) => `Events that wait: ${count}, causes: ${groups}`,
      cameBack: (count: string) => `Came back after a redrive: ${count}`,
      link: 'Dead letters',
    },
    invariants: {
      title: 'The books',
      link: 'Checks of the books',
      none: 'Every check of the books found them in order.',
      unchecked: 'Not all checks have run yet.',
      some: (names: string) => `Broken: ${names}`,
      stops: (count: string) => `Stops that nobody has lifted: ${count}`,
      list: 'Invariants',
      checked: (count: string) => `${count} checked,`,
      notYet: 'Not checked yet',
      live: 'Live: read again every few seconds.',
      paused: 'Paused: nobody has used this page for a while.',
    },
    postings: {
      title: 'Postings',
      link: 'Stops of postings',
      none: 'Money is posted in all currencies.',
      some: (currencies: string) => `Nothing is posted in ${currencies}.`,
    },
    payments: {
      title: 'Payments and payouts',
      none: 'None has failed.',
      some: (payments: string, payouts: string) =>
        `Failed payments: ${payments}. Payouts with refused items: ${payouts}.`,
    },
    disputes: {
      title: 'Top-ups and withdrawals',
      none: 'The bank and its provider agree on all of them.',
      some: (count: string) => `The bank and its provider disagree on ${count}.`,
      link: 'Disputes',
    },
  },
  de: {
    title: 'Was zu tun ist',
    newest: (count) => `Betrachtet werden jeweils die neuesten ${count}.`,
    letters: {
      title: 'Unzustellbare Ereignisse',
      none: 'Kein Ereignis wartet auf jemanden.',
      some: (count, groups) => `Wartende Ereignisse: ${count}, Ursachen: ${groups}`,
      cameBack: (count) => `Nach neuem Senden zurückgekommen: ${count}`,
      link: 'Unzustellbare Ereignisse',
    },
    invariants: {
      title: 'Die Bücher',
      link: 'Prüfungen der Bücher',
      none: 'Alle Prüfungen haben die Bücher in Ordnung gefunden.',
      unchecked: 'Noch sind nicht alle Prüfungen gelaufen.',
      some: (names) => `Verletzt: ${names}`,
      stops: (count) => `Stopps, die niemand aufgehoben hat: ${count}`,
      list: 'Invarianten',
      checked: (count) => `${count} geprüft,`,
      notYet: 'Noch nicht geprüft',
      live: 'Live: wird alle paar Sekunden neu gelesen.',
      paused: 'Pausiert: Diese Seite wurde eine Weile nicht benutzt.',
    },
    postings: {
      title: 'Buchungen',
      link: 'Angehaltene Buchungen',
      none: 'In allen Währungen wird gebucht.',
      some: (currencies) => `In ${currencies} wird nichts gebucht.`,
    },
    payments: {
      title: 'Zahlungen und Sammelzahlungen',
      none: 'Keine ist fehlgeschlagen.',
      some: (payments, payouts) =>
        `Fehlgeschlagene Zahlungen: ${payments}. Sammelzahlungen mit abgelehnten Posten: ${payouts}.`,
    },
    disputes: {
      title: 'Ein- und Auszahlungen',
      none: 'Bank und Zahlungsdienst sind sich bei allen einig.',
      some: (count) => `Bank und Zahlungsdienst sind sich bei ${count} uneins.`,
      link: 'Streitfälle',
    },
  },
})
