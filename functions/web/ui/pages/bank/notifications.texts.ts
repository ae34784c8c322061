import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Messages',
    none: 'No message yet. You will read here what happens to your money.',
    unread: 'New',
    markRead: 'Mark all as read',
    choose: 'Choose what is sent to you',
    receipt: 'Receipt',
    paused: 'Paused, because nobody has used this page for five minutes. It goes on once you use it.',
    away: 'New messages don’t appear by themselves at the moment.',
  },
  de: {
    title: 'Mitteilungen',
    none: 'Es gibt noch keine Mitteilung. Hier steht, was mit Ihrem Geld geschieht.',
    unread: 'Neu',
    markRead: 'Alle als gelesen markieren',
    choose: 'Wählen, was gesendet wird',
    receipt: 'Beleg',
    paused:
      'Pausiert, weil fünf Minuten lang niemand hier war. Sobald Sie die Seite benutzen, geht es weiter.',
    away: 'Neue Mitteilungen erscheinen gerade nicht von selbst.',
  },
})
