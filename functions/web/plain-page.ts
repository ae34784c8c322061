import { hash } from 'node:crypto'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; background: light-dark(#f6f6f2, #0f1210); color: light-dark(#1b1d1a, #eceeea) }
header { padding: 16px; border-bottom: 1px solid light-dark(#dcddd6, #2c312d);
  background: light-dark(#fff, #171a18); font-weight: 650 }
main { max-width: 480px; margin: 0 auto; padding: 24px 16px }
h1 { font-size: 24px; line-height: 1.25 }
`

/** What such a page may do: show its own style. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A page that needs no file, for when there is none or none may be sent. It speaks both languages, because
 * nothing knows which one its reader chose. */
export function plainPage({ title, en, de }: { title: string; en: string; de: string }) {
  return {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
    text: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · microbank</title>
<style>${STYLE}</style>
<header>microbank</header>
<main>
<h1>${title}</h1>
<p>${en}</p>
<p lang="de">${de}</p>
</main>
</html>
`,
  }
}
