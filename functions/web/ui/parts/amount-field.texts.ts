import { defineTexts } from '../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    read: (amount: string) => `That is ${amount}.`,
    faults: {
      missing: 'Enter an amount.',
      'no-number': 'This is no amount.',
      'too-many-decimals': 'These are more decimals than the currency has.',
      zero: 'Enter more than zero.',
      'too-much': 'This is more than the bank can move at once.',
    },
  },
  de: {
    read: (amount) => `Das sind ${amount}.`,
    faults: {
      missing: 'Geben Sie einen Betrag ein.',
      'no-number': 'Das ist kein Betrag.',
      'too-many-decimals': 'Das sind mehr Nachkommastellen, als die Währung hat.',
      zero: 'Geben Sie mehr als null ein.',
      'too-much': 'Das ist mehr, als die Bank auf einmal bewegen kann.',
    },
  },
})
