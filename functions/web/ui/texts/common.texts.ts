import { defineTexts } from './define-texts.ts'

/** Texts of the parts, and words that many pages have. */
export const common = defineTexts({
  en: {
    starting: (name: string) => `Starting ${name}…`,
    startingSlowly: (name: string) => `Starting ${name}… This takes longer than usual.`,
    theFunction: 'the function',
    tryAgain: 'Try again',
    asOf: (time: string) => `As of ${time}. No newer figures come in at the moment.`,
    copy: 'Copy',
    copied: 'Copied',
    cancel: 'Cancel',
    save: 'Save',
    close: 'Close',
    more: 'Show more',
    trace: 'Trace',
  },
  de: {
    starting: (name) => `${name} startet …`,
    startingSlowly: (name) => `${name} startet … Das dauert länger als sonst.`,
    theFunction: 'Die Funktion',
    tryAgain: 'Noch einmal versuchen',
    asOf: (time) => `Stand ${time}. Neue Zahlen kommen gerade nicht an.`,
    copy: 'Kopieren',
    copied: 'Kopiert',
    cancel: 'Abbrechen',
    save: 'Speichern',
    close: 'Schließen',
    more: 'Mehr anzeigen',
    trace: 'Trace',
  },
})
