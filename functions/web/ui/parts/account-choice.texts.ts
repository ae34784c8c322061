import { defineTexts } from '../texts/define-texts.ts'

export const texts = defineTexts({
  en: { available: (amount: string) => `${amount} available` },
  de: { available: (amount) => `${amount} verfügbar` },
})
