// Shows the contract, and keeps the access token of whoever signs in: in memory, until the page is left.
'use strict'

const form = document.getElementById('sign-in')
const status = document.getElementById('signed-in')
const signOut = document.getElementById('sign-out')

// The viewer has both themes, but doesn't choose the one that the reader wants.
const dark = matchMedia('(prefers-color-scheme: dark)')
const followTheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', followTheme)
followTheme()

/** What screen readers need. The viewer puts a link into the button that opens an operation. A button must
 * not hold another thing to press, and this one changes the address by itself. And parts of the viewer are in
 * no region. */
const readable = () => ({
  wrapComponents: {
    DeepLink:
      (_original, { React }) =>
      ({ text }) =>
        React.createElement('span', null, text),
    InfoContainer: inRegion('About the API'),
    FilterContainer: inRegion('Filter'),
    apiKeyAuth: sentByBrowser,
  },
})

const inRegion =
  (label) =>
  (original, { React }) =>
  (props) =>
    React.createElement('section', { 'aria-label': label }, React.createElement(original, props))

/** No script can set the cookies of a session, so there is nothing to fill in. */
const sentByBrowser =
  (_original, { React }) =>
  ({ name, schema }) =>
    React.createElement(
      'div',
      null,
      React.createElement('h4', null, React.createElement('code', null, name)),
      React.createElement('p', null, `The cookie ${schema.get('name')}: the browser sends it by itself.`),
    )

// The viewer gives some of its fields no name.
const NAMES = {
  'select.examples-select-element': 'Example',
  'textarea.body-param__text': 'Body of the request',
}
const name = () => {
  for (const [selector, label] of Object.entries(NAMES))
    for (const field of document.querySelectorAll(`${selector}:not([aria-label])`))
      field.setAttribute('aria-label', label)
}
new MutationObserver(name).observe(document.getElementById('api'), { childList: true, subtree: true })

const ui = globalThis.SwaggerUIBundle({
  url: '/api/openapi.json',
  domNode: document.getElementById('api'),
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  filter: true,
  plugins: [readable],
  syntaxHighlight: { theme: 'tomorrow-night' },
  // Without this, it asks a validator elsewhere.
  validatorUrl: 'none',
  responseInterceptor: takeToken,
})

/** Whoever tries a log-in below is signed in, too. */
function takeToken(response) {
  const { pathname } = new URL(response.url, location.href)
  if (response.status === 200 && /^\/api\/auth\/(login|refresh)$/.test(pathname))
    useToken(response.obj?.access_token)
  return response
}

function useToken(token) {
  if (!token) return
  ui.authActions.authorize({
    bearer: { name: 'bearer', schema: { type: 'http', scheme: 'bearer' }, value: token },
  })
  say('Signed in. What you try below carries your token.')
  signOut.hidden = false
}

function say(text) {
  status.textContent = text
}

async function signIn() {
  const { email, password } = Object.fromEntries(new FormData(form))
  const response = await fetch('/api/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const body = await response.json()
  if (!response.ok) return say(`Not signed in. ${body.detail}`)
  form.elements.password.value = ''
  useToken(body.access_token)
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  say('Signing in…')
  signIn().catch(() => say('No answer. Try again.'))
})

signOut.addEventListener('click', () => {
  ui.authActions.logout(['bearer'])
  signOut.hidden = true
  say('The token is forgotten here. It is valid for some minutes more.')
})
