const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character]!)

/** HTML that was made by html``. */
interface Html {
  html: string
}

/** A template for HTML: every value in it is escaped, unless it is HTML that was made so. */
function html(parts: TemplateStringsArray, ...values: (string | Html | Html[])[]): Html {
  const insert = (value: string | Html | Html[] | undefined): string => {
    if (value === undefined) return ''
    if (typeof value === 'string') return escape(value)
    return Array.isArray(value) ? value.map((each) => each.html).join('') : value.html
  }
  return { html: parts.map((part, i) => part + insert(values[i])).join('') }
}

export interface EmailPage {
  language: string
  title: string
  /** Plain text, with line ends. */
  paragraphs: string[]
  /** A URL to open; null if there is none. */
  link: string | null
  footer: string
}

/** Returns the HTML of an email. It loads nothing from anywhere, so nobody learns when it is read. */
export function emailHtml({ language, title, paragraphs, link, footer }: EmailPage): string {
  const body = paragraphs.map((text) => html`<p style="margin:0 0 16px;white-space:pre-line">${text}</p>`)
  const opening = link ? [html`<p style="word-break:break-all"><a href="${link}">${link}</a></p>`] : []
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
      </head>
      <body style="margin:0;padding:24px;background:#f4f4f4;font:16px/1.5 sans-serif;color:#1a1a1a">
        <div style="max-width:560px;margin:0 auto;padding:24px;background:#fff">
          <h1 style="margin:0 0 16px;font-size:20px">${title}</h1>
          ${[...body, ...opening]}
          <p style="margin:24px 0 0;font-size:13px;color:#666">${footer}</p>
        </div>
      </body>
    </html> `.html
}
