import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Your accounts',
    noAccounts: 'You have no account yet.',
    open: 'Open an account',
  },
  de: {
    title: 'Ihre Konten',
    noAccounts: 'Sie haben noch kein Konto.',
    open: 'Konto eröffnen',
  },
})
