import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
/** The bank that `npm run web` passes /api to. */
const bank = process.env.BANK ?? 'http://localhost:8080'

/** @type {import('vite').ProxyOptions} */
const toBank = {
  target: bank,
  changeOrigin: true,
  configure: (proxy) =>
    // The bank refuses changes from pages of another origin.
    proxy.on('proxyReq', (request) => {
      if (request.getHeader('origin')) request.setHeader('origin', bank)
    }),
}

/**
 * Gives theme.js a name with a hash of its content. It is no module: it runs before anything is painted.
 * @returns {import('vite').Plugin}
 */
function themeFirst() {
  const source = readFileSync(join(here, 'theme.js'))
  const fileName = `assets/theme-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.js`
  return {
    name: 'theme-first',
    apply: 'build',
    buildStart() {
      this.emitFile({ type: 'asset', fileName, source })
    },
    transformIndexHtml: { order: 'post', handler: (html) => html.replace('"/theme.js"', `"/${fileName}"`) },
  }
}

/** @type {import('vite').UserConfig} */
export default {
  root: here,
  publicDir: false,
  plugins: [themeFirst()],
  // The policy of the pages forbids what is inlined.
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    manifest: 'manifest.json',
    rolldownOptions: {
      output: {
        // What most pages need comes as one file, not as ten. Of Base UI that is what the parts import: the rest
        // comes with whatever needs it.
        codeSplitting: {
          groups: [
            {
              name: 'shared',
              test: /node_modules\/(?!@base-ui|@floating-ui)|ui\/(main|parts|texts|frame\/(?!calls-drawer)|look)/,
            },
          ],
        },
      },
    },
  },
  server: { port: 5173, proxy: { '/api': toBank, '/docs': toBank } },
}
