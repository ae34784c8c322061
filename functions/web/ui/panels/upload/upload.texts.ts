import { defineTexts } from '../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    choose: 'Upload a file',
    hint: 'A PDF, or an image as PNG, JPEG or WebP, up to 10 MB.',
    sending: (name: string, percent: string) => `Sending ${name}: ${percent} %`,
    progress: 'Sent so far',
    done: (name: string) => `${name} is there.`,
    again: 'Send it again',
  },
  de: {
    choose: 'Datei hochladen',
    hint: 'Ein PDF oder ein Bild als PNG, JPEG oder WebP, bis 10 MB.',
    sending: (name, percent) => `${name} wird gesendet: ${percent} %`,
    progress: 'Bisher gesendet',
    done: (name) => `${name} ist da.`,
    again: 'Noch einmal senden',
  },
})
