import { execFileSync } from 'node:child_process'
import { installSecrets, type Kubectl } from './secrets.ts'

/** `npm run cluster:secrets`. skaffold names the cluster that it deploys to; by hand it is kubectl's own choice. */
const context = process.env.SKAFFOLD_KUBE_CONTEXT
const kubectl: Kubectl = (args, input) =>
  execFileSync('kubectl', [...(context ? ['--context', context] : []), ...args], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
  })

try {
  const made = installSecrets(kubectl, process.cwd(), (line) => console.log(`==> ${line}`))
  console.log(made.length === 0 ? 'every Secret was there' : `made ${made.length}`)
  if (made.includes('first-operator'))
    console.log(
      'The first operator’s address and password:\n  kubectl get secret first-operator --namespace bank ' +
        '--output \'go-template={{range .data}}{{. | base64decode}}{{"\\n"}}{{end}}\'',
    )
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  console.error(
    code === 'ENOENT'
      ? 'secrets: kubectl is missing: https://kubernetes.io/docs/tasks/tools'
      : `secrets: ${message}`,
  )
  process.exitCode = 1
}
