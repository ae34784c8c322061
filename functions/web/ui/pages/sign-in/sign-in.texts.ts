import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    signIn: 'Sign in',
    signUp: 'Open an account',
    email: 'E-mail',
    password: 'Password',
    noAccount: 'New here?',
  },
  de: {
    signIn: 'Anmelden',
    signUp: 'Konto eröffnen',
    email: 'E-Mail',
    password: 'Passwort',
    noAccount: 'Neu hier?',
  },
})
