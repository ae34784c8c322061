import { UnavailableError } from '../../eventing/unavailable.ts'
import { textOf } from '../host/answer-of.ts'
import { route } from '../host/operation.ts'
import { problem, problems } from '../host/problems.ts'
import type { Infer } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'
import { isLocal } from './runtime-report.ts'

const text = { type: 'string' } as const
const id = { type: 'string', pattern: '^[0-9]{1,20}-[0-9a-f]{1,16}$' } as const
const head = { id, at: { type: 'string', format: 'date-time' }, to: text, subject: text } as const

const mailsSchema = {
  title: 'CaughtMails',
  type: 'object',
  additionalProperties: false,
  required: ['why_not', 'items', 'total'],
  properties: {
    why_not: {
      enum: ['cluster', 'open-to-network', 'sent-on', null],
      description:
        'cluster: it is not on a laptop; open-to-network: other machines reach the bank; sent-on: mails go to a mail server, or nowhere.',
    },
    items: {
      type: 'array',
      description: 'The newest, the newest first.',
      items: {
        title: 'CaughtMailHead',
        type: 'object',
        additionalProperties: false,
        required: ['id', 'at', 'to', 'subject'],
        properties: head,
      },
    },
    total: { type: 'integer', minimum: 0 },
  },
} as const

const mailSchema = {
  title: 'CaughtMail',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'at', 'from', 'to', 'subject', 'text', 'has_html', 'attachments'],
  properties: {
    ...head,
    from: text,
    text: { type: 'string', description: 'Its plain text, which all emails of the bank have.' },
    has_html: { type: 'boolean', description: 'Whether it also has HTML: at the same path with /html.' },
    attachments: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'media_type', 'bytes'],
        properties: { name: text, media_type: text, bytes: { type: 'integer', minimum: 0 } },
      },
    },
  },
} as const

type ShownMail = Infer<typeof mailsSchema>['items'][number]

/** A mail as the runtime tells it. */
interface ToldMail extends Omit<ShownMail, 'at'> {
  date: string
}

interface ToldWholeMail extends ToldMail {
  from: string
  text: string
  html: string | null
  attachments: { name: string; mediaType: string; bytes: number }[]
}

/** The local runtime, over its gateway (knative/local/servers/mail-door.ts). */
const MAILS = 'http://runtime.microbank.localhost/mails'
const TIMEOUT_MS = 5_000

const onLaptopAlone = {
  nothing: 'only a bank on a laptop has them, and whoever started it can read them anyway',
} as const

/** An email may come from anywhere, so its HTML can only be looked at: no script, no form, nothing that is
 * loaded, and no cookie, because a sandbox is an origin of its own. Only pages of the bank may frame it. */
export const HTML_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'self'; sandbox",
  'x-frame-options': 'SAMEORIGIN',
}

const oneMail = { type: 'object', additionalProperties: false, required: ['id'], properties: { id } } as const

/** The emails that a bank on a laptop keeps instead of sending them. */
export const mailRoutes = [
  route({
    method: 'GET',
    path: '/platform/mails',
    who: 'operator',
    audits: onLaptopAlone,
    summary: 'The newest emails that a bank on a laptop has caught; elsewhere why there are none',
    answers: { 200: mailsSchema },
    async handle(_request, tools) {
      const whyNot = whyNoMails(tools)
      const none = (why_not: Infer<typeof mailsSchema>['why_not']) => ({
        status: 200,
        body: { why_not, items: [], total: 0 },
      })
      if (whyNot) return none(whyNot)
      const told = await ask<{ catches: boolean; mails: ToldMail[]; total: number }>(tools, '')
      if (!told?.catches) return none('sent-on')
      return { status: 200, body: { why_not: null, items: told.mails.map(toHead), total: told.total } }
    },
  }),
  route({
    method: 'GET',
    path: '/platform/mails/{id}',
    who: 'operator',
    audits: onLaptopAlone,
    summary: 'One caught email as plain text, and the names of what is attached',
    params: oneMail,
    answers: { 200: mailSchema },
    problems: [problems.notFound],
    async handle({ params }, tools) {
      const told = await find(params.id, tools)
      if (!told) return noSuchMail()
      const { from, text: said, html, attachments } = told
      const named = attachments.map(({ name, mediaType, bytes }) => ({ name, media_type: mediaType, bytes }))
      const body = { ...toHead(told), from, text: said, has_html: html !== null, attachments: named }
      return { status: 200, body }
    },
  }),
  route({
    method: 'GET',
    path: '/platform/mails/{id}/html',
    who: 'operator',
    audits: onLaptopAlone,
    summary: 'The HTML of one caught email, for a frame; nothing of it runs, and nothing is loaded',
    params: oneMail,
    answers: { 200: textOf('text/html') },
    problems: [problems.notFound],
    async handle({ params }, tools) {
      const html = (await find(params.id, tools))?.html
      return html == null ? noSuchMail() : { status: 200, headers: HTML_HEADERS, text: html }
    },
  }),
]

const noSuchMail = () => problem(problems.notFound, 'There is no such email here.')

const find = async (id: string, tools: Tools): Promise<ToldWholeMail | undefined> =>
  whyNoMails(tools) ? undefined : ask<ToldWholeMail>(tools, `/${id}`)

const whyNoMails = (tools: Pick<Tools, 'config'>): 'cluster' | 'open-to-network' | undefined =>
  !isLocal(tools) ? 'cluster' : tools.config.MAIL_KEY === '' ? 'open-to-network' : undefined

const toHead = ({ id, date, to, subject }: ToldMail): ShownMail => ({ id, at: date, to, subject })

async function ask<Told>({ send, config }: Tools, path: string): Promise<Told | undefined> {
  const headers = { authorization: `Bearer ${config.MAIL_KEY}` }
  const { status, body } = await send({ url: MAILS + path, method: 'GET', headers, timeoutMs: TIMEOUT_MS })
  if (status === 404) return undefined
  if (status !== 200) throw new UnavailableError(`the local runtime answered ${status}`)
  return JSON.parse(body.toString()) as Told
}
