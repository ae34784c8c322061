import { optionalHttpUrl, quota, text, wholeNumber, type Setting } from '../setting-values.ts'

/** The settings of documents and their store. */
export const settings = {
  DOCUMENTS_PER_CUSTOMER_MAX: {
    about: 'documents that a customer can have',
    parse: wholeNumber(1, 100_000),
    fallback: '100',
  },
  DOCUMENT_MIB_PER_CUSTOMER_MAX: {
    about: 'MiB that the documents of a customer can have together',
    parse: wholeNumber(1, 1_000_000),
    fallback: '200',
  },
  DOCUMENT_STORE_URL: {
    about: 'URL of a bucket that speaks S3: https://host/bucket; if empty, the database keeps the documents',
    parse: optionalHttpUrl,
    fallback: '',
  },
  DOCUMENT_STORE_REGION: { about: 'region of that bucket', parse: text, fallback: 'us-east-1' },
  DOCUMENT_STORE_KEY_ID: { about: 'id of the access key for that bucket', parse: text, fallback: '' },
  DOCUMENT_STORE_KEY: { about: 'the secret part of that access key', parse: text, fallback: '' },
  UPLOAD_RATE: {
    about: 'uploads of one caller, as number/seconds; off is no limit',
    parse: quota,
    fallback: '120/60',
  },
} as const satisfies Record<string, Setting<unknown>>
