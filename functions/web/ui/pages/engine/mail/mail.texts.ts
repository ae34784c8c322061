import { defineTexts } from '../../../texts/define-texts.ts'

export const texts = defineTexts({
  en: {
    title: 'Mail',
    intro: 'What the bank has sent by e-mail. None of it left this computer. npm run mail shows the same.',
    list: 'Caught e-mails',
    none: 'The bank has sent no e-mail yet. Signing up sends one.',
    older: (count: string) => `And ${count} older, which the terminal shows.`,
    from: 'From',
    to: 'To',
    at: 'Sent',
    attachments: 'Attached',
    size: (name: string, kilobytes: string) => `${name}, ${kilobytes} kB`,
    noSubject: 'No subject',
    noName: 'without a name',
    noText: 'The e-mail has no text.',
    looks: 'As it looks',
    close: 'Close',
    whyNot: {
      cluster:
        'Only a bank on a laptop catches its e-mails. On a cluster they go to the mail server that the Secret mail-server names. With skaffold dev that is Mailpit, which shows them at http://localhost:8025.',
      'open-to-network':
        'Other machines reach this bank, and some e-mails have links that set a new password. npm run mail shows them in a terminal of this computer.',
      'sent-on': 'E-mails go to a mail server, or nowhere: the environment of npm start says which.',
    },
  },
  de: {
    title: 'Post',
    intro:
      'Was die Bank per E-Mail verschickt hat. Nichts davon hat diesen Rechner verlassen. npm run mail zeigt dasselbe.',
    list: 'Aufgefangene E-Mails',
    none: 'Die Bank hat noch keine E-Mail verschickt. Wer sich registriert, bekommt eine.',
    older: (count) => `Und ${count} ältere; das Terminal zeigt sie.`,
    from: 'Von',
    to: 'An',
    at: 'Gesendet',
    attachments: 'Angehängt',
    size: (name, kilobytes) => `${name}, ${kilobytes} kB`,
    noSubject: 'Ohne Betreff',
    noName: 'ohne Namen',
    noText: 'Die E-Mail hat keinen Text.',
    looks: 'So sieht sie aus',
    close: 'Schließen',
    whyNot: {
      cluster:
        'Nur eine Bank auf dem eigenen Rechner fängt ihre E-Mails auf. Auf einem Cluster gehen sie an den Mailserver, den das Secret mail-server nennt. Mit skaffold dev ist das Mailpit und zeigt sie unter http://localhost:8025.',
      'open-to-network':
        'Andere Rechner erreichen diese Bank, und in E-Mails stehen Links für ein neues Passwort. npm run mail zeigt sie in einem Terminal dieses Rechners.',
      'sent-on':
        'E-Mails gehen an einen Mailserver oder gar nicht hinaus: Die Umgebung von npm start sagt es.',
    },
  },
})
