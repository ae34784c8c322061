import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Messages',
    none: 'No message yet. You will read here what happens to your money.',
    unread: 'New',
    markRead: 'Mark all as read',
    choose: 'Choose what is sent to you',
    receipt: 'Receipt',
    paused: 'Paused: nobody used this page for five minutes. Touch it, and it goes on.',
    away: 'News don’t come by themselves at the moment.',
  },
  de: {
    title: 'Mitteilungen',
    none: 'Es gibt noch keine Mitteilung. Hier steht, was mit Ihrem Geld geschieht.',
    unread: 'Neu',
    markRead: 'Alle als gelesen markieren',
    choose: 'Wählen, was Ihnen gesendet wird',
    receipt: 'Beleg',
    paused:
      'Pausiert, weil fünf Minuten lang niemand hier war. Sobald Sie die Seite benutzen, geht es weiter.',
    away: 'Neues erscheint gerade nicht von selbst.',
  },
})
