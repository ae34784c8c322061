import {
  list,
  oneOf,
  optionalHttpUrl,
  sender,
  smtpUrl,
  text,
  wholeNumber,
  type Setting,
} from '../setting-values.ts'

/** The settings of notifications, and of the channels over which messages leave the bank:
 * docs/notifications.md. */
export const settings = {
  NOTIFICATIONS_KEPT_DAYS: {
    about: 'days that notifications are kept',
    // By 100 days, its messages and all dead letters are gone: none brings a notification back.
    parse: wholeNumber(100, 36_500),
    fallback: '400',
  },
  MESSAGE_CHANNELS: {
    about:
      'channels over which messages are sent: email, sms, push, webhook, separated by commas; empty is none',
    parse: list('email', 'sms', 'push', 'webhook'),
    fallback: '',
  },
  MESSAGE_TIMEOUT_MS: {
    about: 'milliseconds that a mail server or provider may stay silent',
    // Longer would not fit into the time of a request.
    parse: wholeNumber(1, 10_000),
    fallback: '8000',
  },
  SMTP_URL: { about: 'smtps:// or smtp:// URL of the mail server', parse: smtpUrl, fallback: '' },
  SMTP_TLS: {
    about: 'required, or none for a mail server on the same machine',
    parse: oneOf('required', 'none'),
    fallback: 'required',
  },
  SMTP_CA: { about: 'certificate of the mail server’s authority, as PEM', parse: text, fallback: '' },
  MAIL_FROM: {
    about: 'sender of emails, as name <address>',
    parse: sender,
    fallback: 'microbank <no-reply@microbank.localhost>',
  },
  SMS_URL: { about: 'URL that takes text messages', parse: optionalHttpUrl, fallback: '' },
  SMS_TOKEN: { about: 'bearer token for SMS_URL', parse: text, fallback: '' },
  SMS_BODY: {
    about: 'JSON body for SMS_URL, with {to}, {text} and {id} for number, message and its id',
    parse: (value: string): unknown => JSON.parse(value),
    fallback: '{"to":"{to}","text":"{text}"}',
  },
  VAPID_PUBLIC_KEY: { about: 'public key of push messages (RFC 8292)', parse: text, fallback: '' },
  VAPID_PRIVATE_KEY: { about: 'private key of push messages', parse: text, fallback: '' },
  VAPID_SUBJECT: { about: 'mailto: or https: address of the bank’s operators', parse: text, fallback: '' },
  PUSH_SERVICES: {
    about: 'hosts of push services, separated by commas; *. stands for any part',
    parse: list(),
    fallback: 'fcm.googleapis.com,updates.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com',
  },
} as const satisfies Record<string, Setting<unknown>>
