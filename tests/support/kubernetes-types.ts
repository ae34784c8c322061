import { dirname, join } from 'node:path'
import ts from 'typescript'
import { ROOT, type Manifest } from './repository.ts'

/** Modules of the package kubernetes-types, by the group and version that they describe. */
const MODULES: Record<string, string> = {
  v1: 'core/v1',
  'apps/v1': 'apps/v1',
  'batch/v1': 'batch/v1',
  'networking.k8s.io/v1': 'networking/v1',
  'policy/v1': 'policy/v1',
  'rbac.authorization.k8s.io/v1': 'rbac/v1',
}

export const hasKubernetesType = ({ apiVersion }: Manifest): boolean => apiVersion in MODULES

/**
 * Checks manifests with TypeScript as values of the type of their kind. It finds an unknown field (which an
 * API server would drop without a word), a wrong type and a missing field. Returns a sentence for each, with
 * the manifest's file.
 */
export function typeErrors(objects: Manifest[]): string[] {
  const sources = new Map(
    objects.map((object, n) => [join(ROOT, `tests/manifest-${n}.ts`), { object, text: asSource(object) }]),
  )
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['lib.es2022.d.ts'] },
    ...{ module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
  }
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, getSourceFile } = host
  const textOf = (path: string) => sources.get(path)?.text
  host.readFile = (path) => textOf(path) ?? readFile(path)
  host.fileExists = (path) => sources.has(path) || fileExists(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = textOf(path)
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version)
  }
  host.getCurrentDirectory = () => dirname(__dirname)
  const program = ts.createProgram([...sources.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const { object } = sources.get(file?.fileName ?? '') ?? {}
    const message = ts.flattenDiagnosticMessageText(messageText, ' ')
    return `${object?.file}: ${object?.kind} ${object?.metadata?.name}: ${message}`
  })
}

function asSource({ file: _file, ...object }: Manifest): string {
  return `import type { ${object.kind} } from 'kubernetes-types/${MODULES[object.apiVersion]}'
export const manifest: ${object.kind} = ${JSON.stringify(object, undefined, 2)}`
}
