import type { Runtime } from './runtime.ts'
import { SIGN_IN_MINUTES } from './sign-in-code.ts'

/** The Node of the image (knative/image). */
const NODE_OF_IMAGE = 24
/** Nobody mends this Node and older ones any more. */
const NODE_ENDED = 20

/** What a person sees when the bank has started: where it is, who may do what, and a first transfer to
 * paste. `node` is the version of Node, without a `v`. */
export function welcome(runtime: Runtime, node: string): string {
  const { url, port, queue, catchesMail, dataDir, kubeconfig, secrets, signInUrl } = runtime
  const { email, password } = secrets.operator
  const operator = secrets.showOperator
    ? `\nOperator      ${email}\n              password ${password}   (shown this once; kept in ${dataDir}/secrets.json)`
    : `\nOperator      ${email}`
  return `
The bank is open.

Front door    ${url}/api
Read, try it  ${url}/docs
A function    http://transfer.microbank.localhost:${port}
Broker        http://default-broker-ingress.microbank.localhost:${port}
Events        go through ${queue}
Emails        ${catchesMail ? 'stay on this machine: npm run mail shows them' : 'as SMTP_URL and MESSAGE_CHANNELS say'}
Node          ${aboutNode(node)}
Look inside   KUBECONFIG=${kubeconfig} kubectl get ksvc,brokers,triggers
Data, logs    ${dataDir}${operator}

A first transfer, to paste into a shell:

${tour(url)}
npm run ps shows what runs, npm start -- --help the options. Ctrl-C stops everything in order.

Sign in       ${signInUrl}
              as operator: the link works once, for ${SIGN_IN_MINUTES} minutes
`
}

function aboutNode(version: string): string {
  if (parseInt(version) > NODE_ENDED) return version
  return `${version}, which gets no security updates any more; the image has Node ${NODE_OF_IMAGE}`
}

/** Needs only curl, and the Node that is there anyway. Each run registers another customer. */
function tour(url: string): string {
  return `  BANK=${url}/api
  field() { node -p "JSON.parse(require('fs').readFileSync(0)).$1"; }
  post() { curl -sw '\\n' "$BANK/$1" -H 'Content-Type: application/json' -H "Authorization: Bearer $TOKEN" -d "$2"; }
  ADA='"email":"ada-'$RANDOM'@example.com","password":"three blue herons"'
  post auth/register '{"name":"Ada",'"$ADA"'}'
  TOKEN=$(post auth/login "{$ADA}" | field access_token)
  A=$(post accounts '{"account_type":"checking"}' | field id)
  B=$(post accounts '{"account_type":"savings"}' | field id)
  post transactions '{"type":"deposit","account_id":"'$A'","amount":"900.00"}'
  post transactions '{"type":"transfer","account_id":"'$A'","to_account_id":"'$B'","amount":"200.00"}'
  curl -sw '\\n' $BANK/accounts -H "Authorization: Bearer $TOKEN"
  curl -sw '\\n' $BANK/notifications -H "Authorization: Bearer $TOKEN"
`
}
