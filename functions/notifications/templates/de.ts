import { SETTLED_OUTSIDE } from '../../../eventing/contracts/provider-transfer-end.ts'
import type { Templates } from './template.ts'

const KINDS = { deposit: 'Einzahlung', withdrawal: 'Auszahlung', transfer: 'Überweisung' } as const

export const de: Templates = {
  events: {
    'transaction.completed': (data, { money }) => {
      const { transaction_type: type, amount, fee, new_balance: balance, currency } = data
      const cost = fee === null ? '' : ` Gebühr: ${money(fee, currency)}.`
      return {
        title: `${KINDS[type]} ausgeführt`,
        text: `${KINDS[type]} von ${money(amount, currency)} ausgeführt.${cost} Neuer Kontostand: ${money(balance, currency)}`,
      }
    },
    'transaction.reversed': ({ amount, new_balance: balance, currency }, { money }) => ({
      title: 'Buchung storniert',
      text: `Buchung von ${money(amount, currency)} storniert. Neuer Kontostand: ${money(balance, currency)}`,
    }),
    'hold.placed': ({ amount, currency, expires_at: end }, { money, time }) => ({
      title: 'Betrag vorgemerkt',
      text: `${money(amount, currency)} sind bis ${time(end)} vorgemerkt. Der Betrag bleibt auf Ihrem Konto, ist aber nicht verfügbar.`,
    }),
    'hold.captured': ({ amount, released, currency }, { money }) => ({
      title: 'Vorgemerkter Betrag abgebucht',
      text: `Von einem vorgemerkten Betrag wurden ${money(amount, currency)} abgebucht.${
        /^[0.]+$/.test(released) ? '' : ` ${money(released, currency)} sind wieder verfügbar.`
      }`,
    }),
    'hold.released': ({ amount, currency }, { money }) => ({
      title: 'Betrag wieder verfügbar',
      text: `Vorgemerkte ${money(amount, currency)} sind wieder verfügbar.`,
    }),
    'hold.expired': ({ amount, currency }, { money }) => ({
      title: 'Betrag wieder verfügbar',
      text: `Vorgemerkte ${money(amount, currency)} wurden nicht rechtzeitig abgebucht und sind wieder verfügbar.`,
    }),
    'payment.executed': ({ amount, currency }, { money }) => ({
      title: 'Zahlung ausgeführt',
      text: `Ihre Zahlung über ${money(amount, currency)} wurde ausgeführt.`,
    }),
    'payment.received': ({ amount, currency, account_id: account }, { money, ending }) => ({
      title: 'Zahlung erhalten',
      text: `Sie haben ${money(amount, currency)} auf Ihr Konto mit der Endung ${ending(account)} erhalten.`,
    }),
    'payment.expired': ({ amount, currency }, { money }) => ({
      title: 'Zahlung abgelaufen',
      text: `Ihre Zahlung über ${money(amount, currency)} wurde nicht rechtzeitig ausgeführt. Der Betrag ist wieder verfügbar.`,
    }),
    'payment.failed': ({ amount, currency }, { money }) => ({
      title: 'Zahlung fehlgeschlagen',
      text: `Ihre Zahlung über ${money(amount, currency)} konnte nicht ausgeführt werden. Den Grund sehen Sie, wenn Sie sich anmelden.`,
    }),
    'topup.failed': ({ amount, currency, failure }, { money }) => ({
      title: 'Einzahlung fehlgeschlagen',
      text:
        failure === SETTLED_OUTSIDE
          ? `${money(amount, currency)} konnten nicht gutgeschrieben werden. Die Bank hat das Geld zurückgezahlt.`
          : `Ihre Einzahlung von ${money(amount, currency)} ist fehlgeschlagen. Dafür wurde nichts abgebucht.`,
    }),
    'withdrawal.failed': ({ amount, currency }, { money }) => ({
      title: 'Auszahlung fehlgeschlagen',
      text: `${money(amount, currency)} konnten nicht ausgezahlt werden. Das Geld ist wieder verfügbar.`,
    }),
    'order.ran': ({ amount, currency, due_at: due }, { money, time }) => ({
      title: 'Zahlungsauftrag ausgeführt',
      text: `Ihr Zahlungsauftrag über ${money(amount, currency)}, fällig am ${time(due)}, wurde ausgeführt.`,
    }),
    'order.failed': ({ amount, currency, due_at: due, is_stopped: stopped }, { money, time }) => ({
      title: 'Zahlungsauftrag nicht ausgeführt',
      text: `Ihr Zahlungsauftrag über ${money(amount, currency)}, fällig am ${time(due)}, konnte nicht ausgeführt werden.${
        stopped ? ' Der Auftrag ruht, bis Sie ihn fortsetzen.' : ''
      } Bitte prüfen Sie Ihr Konto.`,
    }),
    'payout.completed': ({ amount, currency, paid, refused }, { money }) => ({
      title: 'Sammelzahlung abgeschlossen',
      text: `Ihre Sammelzahlung ist abgeschlossen: ${money(amount, currency)} in ${paid} ${paid === 1 ? 'Zahlung' : 'Zahlungen'}. Abgelehnt: ${refused}.`,
    }),
    'account.frozen': ({ account_id: account }, { ending }) => ({
      title: 'Konto gesperrt',
      text: `Ihr Konto mit der Endung ${ending(account)} ist gesperrt: Ein- und Ausgänge sind nicht möglich. Bitte wenden Sie sich an uns.`,
    }),
    'account.unfrozen': ({ account_id: account }, { ending }) => ({
      title: 'Konto entsperrt',
      text: `Ihr Konto mit der Endung ${ending(account)} ist nicht mehr gesperrt.`,
    }),
    'account.closed': ({ account_id: account }, { ending }) => ({
      title: 'Konto geschlossen',
      text: `Ihr Konto mit der Endung ${ending(account)} ist geschlossen.`,
    }),
    'webhook.paused': ({ host }) => ({
      title: 'Webhook angehalten',
      text: `Ihr Webhook zu ${host} ist angehalten, weil die Bank ihn nicht mehr erreicht. Er bekommt nichts, bis Sie ihn wieder einschalten.`,
    }),
    'session.started': ({ client_address: address, started_at: at }, { time }) => ({
      title: 'Neue Anmeldung',
      text: `Am ${time(at)} hat sich jemand mit Ihren Zugangsdaten angemeldet, von ${address || 'einer unbekannten Adresse'}. Wenn Sie es nicht waren, ändern Sie Ihr Passwort und wenden Sie sich an uns.`,
    }),
    'password.changed': ({ changed_at: at, by_new_owner: isNew }, { time }) => ({
      title: 'Passwort geändert',
      text: `Ihr Passwort wurde am ${time(at)} geändert. Wenn Sie es nicht waren, wenden Sie sich sofort an uns.${isNew ? ' Andere können diese Adresse benutzt haben, darum sind Webhooks und Zahlungsaufträge angehalten: Prüfen Sie sie.' : ''}`,
    }),
    'email.changed': ({ changed_at: at }, { time }) => ({
      title: 'E-Mail-Adresse geändert',
      text: `Ihre E-Mail-Adresse wurde am ${time(at)} geändert. Wenn Sie es nicht waren, wenden Sie sich sofort an uns.`,
    }),
    'password.reset-requested': ({ expires_at: end }, { time }) => ({
      title: 'Neues Passwort wählen',
      text: `Für diese Adresse wurde ein neues Passwort angefordert. Wenn Sie es waren, wählen Sie es über den folgenden Link. Er gilt einmal, bis ${time(end)}. Wenn Sie es nicht waren, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist.`,
    }),
    'user.invited': ({ expires_at: end }, { time }) => ({
      title: 'Passwort wählen',
      text: `Wir haben Sie als Kundin oder Kunden aufgenommen. Um sich anzumelden, wählen Sie über den folgenden Link ein Passwort. Er gilt einmal, bis ${time(end)}.`,
    }),
    'email.confirmation-requested': ({ expires_at: end }, { time }) => ({
      title: 'E-Mail-Adresse bestätigen',
      text: `Bitte bestätigen Sie über den folgenden Link, dass diese Adresse Ihnen gehört. Er gilt einmal, bis ${time(end)}. Wenn Sie uns diese Adresse nicht gegeben haben, müssen Sie nichts tun.`,
    }),
  },
  notices: {
    'please-call': {
      title: 'Bitte rufen Sie uns an',
      text: 'Bitte rufen Sie uns an. Wir haben eine Frage zu Ihrem Konto.',
    },
    'documents-needed': {
      title: 'Unterlagen erforderlich',
      text: 'Wir brauchen Unterlagen von Ihnen. Bitte melden Sie sich an; dort steht, welche.',
    },
    'details-outdated': {
      title: 'Bitte prüfen Sie Ihre Angaben',
      text: 'Bitte melden Sie sich an und prüfen Sie, ob Ihr Name und Ihre Adresse noch stimmen.',
    },
  },
  email: {
    greeting: (name) => (name ? `Guten Tag ${name},` : 'Guten Tag,'),
    footer:
      'Diese Nachricht wurde automatisch versandt. Wir fragen nie nach Ihrem Passwort. Welche Nachrichten Sie bekommen, wählen Sie in Ihren Einstellungen.',
  },
  fromTheBank: 'Eine Nachricht Ihrer Bank',
}
