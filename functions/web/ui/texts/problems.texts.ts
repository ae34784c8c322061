import { defineTexts } from './define-texts.ts'

/** What problems of the bank say, by the last part of their type. One that isn't here shows its `detail`. */
export const problemTexts = defineTexts({
  en: {
    noAnswer: 'No answer yet. What you asked for happened once or not at all.',
    noAnswerToReading: 'The bank does not answer at the moment.',
    signedOut: 'Your session has ended. Sign in again.',
    failed: 'Something on this page failed.',
    nothingMoved: 'No money moved.',
    waitSeconds: (seconds: string) => `Try again in ${seconds} seconds.`,
    byCode: {
      unauthenticated: 'Sign in first.',
      'invalid-credentials': 'The e-mail or the password is wrong.',
      'email-taken': 'Somebody has an account with this e-mail. Sign in, or choose another.',
      'link-not-valid': 'This link has been used, or it is too old.',
      forbidden: 'Your role does not allow this.',
      'not-found': 'There is nothing here, or it isn’t yours.',
      'too-many-requests': 'Too many tries.',
      'insufficient-funds': 'Not sent. Your available balance is too low.',
      'account-frozen': 'Not sent. The account is frozen.',
      'account-closed': 'Not sent. The account is closed.',
      'ledger-stopped': 'The ledger is stopped while the bank checks it.',
      'invalid-input': 'Some of what you entered is not accepted.',
      unavailable: 'That part of the bank is away at the moment.',
      'cross-site': 'The request came from another page, so the bank refused it.',
    } as Readonly<Record<string, string>>,
  },
  de: {
    noAnswer: 'Noch keine Antwort. Ihr Auftrag wurde einmal ausgeführt oder gar nicht.',
    noAnswerToReading: 'Die Bank antwortet gerade nicht.',
    signedOut: 'Ihre Sitzung ist beendet. Melden Sie sich neu an.',
    failed: 'Etwas auf dieser Seite ist misslungen.',
    nothingMoved: 'Es wurde kein Geld bewegt.',
    waitSeconds: (seconds) => `Versuchen Sie es in ${seconds} Sekunden noch einmal.`,
    byCode: {
      unauthenticated: 'Melden Sie sich zuerst an.',
      'invalid-credentials': 'Die E-Mail oder das Passwort stimmt nicht.',
      'email-taken':
        'Mit dieser E-Mail hat schon jemand ein Konto. Melden Sie sich an, oder wählen Sie eine andere.',
      'link-not-valid': 'Dieser Link wurde schon benutzt, oder er ist zu alt.',
      forbidden: 'Das erlaubt Ihre Rolle nicht.',
      'not-found': 'Hier ist nichts, oder es gehört Ihnen nicht.',
      'too-many-requests': 'Zu viele Versuche.',
      'insufficient-funds': 'Nicht gesendet. Ihr verfügbarer Betrag reicht nicht.',
      'account-frozen': 'Nicht gesendet. Das Konto ist gesperrt.',
      'account-closed': 'Nicht gesendet. Das Konto ist geschlossen.',
      'ledger-stopped': 'Das Hauptbuch steht still, solange die Bank es prüft.',
      'invalid-input': 'Einiges von Ihren Angaben wird nicht angenommen.',
      unavailable: 'Dieser Teil der Bank ist gerade nicht da.',
      'cross-site': 'Die Anfrage kam von einer anderen Seite. Die Bank hat sie abgelehnt.',
    },
  },
})
