import { httpUrl, optionalHttpUrl, text, type Setting } from '../setting-values.ts'

/** How the platform's functions reach the Kubernetes API (docs/engine-room.md). */
export const settings = {
  KUBERNETES_API: {
    about: 'URL of the Kubernetes API',
    parse: httpUrl,
    fallback: 'https://kubernetes.default.svc',
  },
  KUBERNETES_ACCOUNT: {
    about: 'folder with the token of the service account, and the certificate of the API’s authority',
    parse: text,
    fallback: '/etc/microbank/kubernetes',
  },
  LAB_KEY: {
    about: 'what the lab of the local runtime asks for; empty where there is no lab',
    parse: text,
    fallback: '',
  },
  PROMETHEUS_URL: {
    about: 'URL of the Prometheus that the page of metrics asks; if empty, it asks none',
    parse: optionalHttpUrl,
    fallback: '',
  },
  MAIL_KEY: {
    about: 'the secret without which the local runtime shows no emails; empty if it shows none at all',
    parse: text,
    fallback: '',
  },
} as const satisfies Record<string, Setting<unknown>>
