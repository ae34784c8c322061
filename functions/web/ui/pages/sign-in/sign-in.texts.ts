import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    signIn: 'Sign in',
    signUp: 'Open an account',
    email: 'E-mail',
    password: 'Password',
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
    noAccount: 'Neu hier?',
    demo: 'Als Demo-Kunde anmelden',
    demoHint:
      'Ein Demo-Kunde mit Konten, etwas Geld und ein paar Buchungen. Den gibt es nur auf dem eigenen Rechner.',
    demoMade: 'Beim ersten Mal dauert es ein paar Sekunden.',
  },
})
