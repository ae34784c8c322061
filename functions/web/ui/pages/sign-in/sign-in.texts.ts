import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    signIn: 'Sign in',
    signUp: 'Sign up',
    email: 'E-mail',
    password: 'Password',
    ended: {
      idle: 'You were signed out because you had not used the bank for 15 minutes.',
      other: 'Your session has ended. Sign in again to go on.',
    },
    noAccount: 'New here?',
    demo: 'Sign in as the demo customer',
    demoHint:
      'A demo customer has accounts, some money and a history. Only a bank on your own computer has one.',
    demoMade: 'The first time takes a few seconds.',
  },
  de: {
    signIn: 'Anmelden',
    signUp: 'Registrieren',
    email: 'E-Mail',
    password: 'Passwort',
    ended: {
      idle: 'Sie wurden abgemeldet, weil Sie die Bank 15 Minuten lang nicht benutzt haben.',
      other: 'Ihre Sitzung ist beendet. Melden Sie sich wieder an, um weiterzumachen.',
    },
    noAccount: 'Neu hier?',
    demo: 'Als Demo-Kunde anmelden',
    demoHint:
      'Ein Demo-Kunde mit Konten, etwas Geld und ein paar Buchungen. Den gibt es nur auf dem eigenen Rechner.',
    demoMade: 'Beim ersten Mal dauert es ein paar Sekunden.',
  },
})
