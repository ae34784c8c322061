import { defineTexts } from '../texts/define-texts.ts'

export const texts = defineTexts({
  en: { none: 'Messages', messages: (count: string) => `Messages: ${count} new` },
  de: { none: 'Mitteilungen', messages: (count) => `Mitteilungen: ${count} neu` },
})
