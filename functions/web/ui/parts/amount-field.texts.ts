import { defineTexts } from '../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    read: (amount: string) => `That is ${amount}.`,
    faults: {
      missing: 'Enter an amount.',
      'no-number': 'This is not an amount.',
      'too-many-decimals': 'The currency has fewer decimals.',
      zero: 'Enter more than zero.',
      'too-much': 'This is more than the bank can move at once.',
    },
  },
  de: {
    read: (amount) => `Das sind ${amount}.`,
    faults: {
      missing: 'Geben Sie einen Betrag ein.',
      'no-number': 'Das ist kein Betrag.',
      'too-many-decimals': 'So viele Nachkommastellen hat die Währung nicht.',
      zero: 'Der Betrag muss größer als null sein.',
      'too-much': 'So viel kann die Bank nicht auf einmal bewegen.',
    },
  },
})
