import { kubectl } from './kubectl.mjs'
import { installSecrets } from './secrets.ts'

/** `npm run cluster:secrets`. */
try {
  const made = installSecrets(
    (args, input) => kubectl(args, { input }),
    process.cwd(),
    (line) => console.log(`==> ${line}`),
  )
  console.log(
    made.length === 0 ? 'every Secret and ConfigMap existed' : `made ${made.length} Secrets and ConfigMaps`,
  )
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
