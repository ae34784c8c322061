import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    newPasswordTitle: 'Choose a password',
    newPassword: 'New password',
    passwordHint: 'At least 12 characters. Three words that nobody else would choose are good.',
    choose: 'Save password',
    chosen: 'Your password is saved. You are signed out everywhere.',
    confirmTitle: 'Confirm your e-mail',
    confirm: 'Confirm my e-mail',
    confirmed: 'Your e-mail is confirmed.',
    noToken: 'Open this page with the link from our e-mail.',
    signIn: 'Sign in',
    home: 'Go to your accounts',
  },
  de: {
    newPasswordTitle: 'Passwort wählen',
    newPassword: 'Neues Passwort',
    passwordHint: 'Mindestens 12 Zeichen. Gut sind drei Wörter, auf die sonst niemand kommt.',
    choose: 'Passwort speichern',
    chosen: 'Ihr Passwort ist gespeichert. Sie sind überall abgemeldet.',
    confirmTitle: 'E-Mail-Adresse bestätigen',
    confirm: 'Meine E-Mail-Adresse bestätigen',
    confirmed: 'Ihre E-Mail-Adresse ist bestätigt.',
    noToken: 'Öffnen Sie diese Seite mit dem Link aus unserer E-Mail.',
    signIn: 'Anmelden',
    home: 'Zu Ihren Konten',
  },
})
