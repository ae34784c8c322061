import { defineTexts } from '../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'API calls of this page',
    none: 'No call yet.',
    clear: 'Clear',
    running: 'running',
    noAnswer: 'no answer',
    warm: 'warm',
    cold: (name: string) => `woke ${name}`,
    replayed: 'answered before: repeated',
    key: 'Idempotency key',
    trace: 'Trace',
    copyCurl: 'Copy as curl',
    copied: 'Copied',
  },
  de: {
    title: 'API-Aufrufe dieser Seite',
    none: 'Noch kein Aufruf.',
    clear: 'Leeren',
    running: 'läuft',
    noAnswer: 'keine Antwort',
    warm: 'warm',
    cold: (name) => `${name} geweckt`,
    replayed: 'Antwort wiederholt',
    key: 'Idempotenzschlüssel',
    trace: 'Trace',
    copyCurl: 'Als curl kopieren',
    copied: 'Kopiert',
  },
})
