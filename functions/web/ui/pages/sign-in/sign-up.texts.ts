import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    signIn: 'Sign in',
    signUp: 'Sign up',
    name: 'Name',
    email: 'E-mail',
    password: 'Password',
    passwordHint: 'At least 12 characters. Three words that nobody else would choose are good.',
    haveAccount: 'Do you bank with us already?',
  },
  de: {
    signIn: 'Anmelden',
    signUp: 'Registrieren',
    name: 'Name',
    email: 'E-Mail',
    password: 'Passwort',
    passwordHint: 'Mindestens 12 Zeichen. Gut sind drei Wörter, auf die sonst niemand kommt.',
    haveAccount: 'Sind Sie schon Kunde?',
  },
})
