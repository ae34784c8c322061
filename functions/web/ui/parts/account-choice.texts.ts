import { defineTexts } from '../texts/define-texts.ts'

export const texts = defineTexts({
  en: { available: (number: string, amount: string) => `${number} · ${amount} available` },
  de: { available: (number, amount) => `${number} · ${amount} verfügbar` },
})
