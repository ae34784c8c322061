import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Documents',
    none: 'You have no document yet.',
    download: 'Download',
    remove: 'Delete',
    removeAsk: (name: string) => `Delete ${name}? It can’t be brought back.`,
    removeSure: 'Yes, delete it',
    keep: 'Keep it',
    statement: 'Statement',
    byBank: 'From the bank',
    status: { processing: 'Being checked', ready: 'Ready', refused: 'Refused' },
    kb: (count: string) => `${count} kB`,
  },
  de: {
    title: 'Dokumente',
    none: 'Sie haben noch kein Dokument.',
    download: 'Herunterladen',
    remove: 'Löschen',
    removeAsk: (name) => `${name} löschen? Das lässt sich nicht rückgängig machen.`,
    removeSure: 'Ja, löschen',
    keep: 'Behalten',
    statement: 'Kontoauszug',
    byBank: 'Von der Bank',
    status: { processing: 'Wird geprüft', ready: 'Bereit', refused: 'Abgelehnt' },
    kb: (count) => `${count} kB`,
  },
})
