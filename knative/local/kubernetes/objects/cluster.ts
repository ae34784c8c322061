import { NAMESPACE } from '../../manifests/manifests.ts'
import type { KubernetesObject, Metadata } from '../object.ts'
import { RESOURCE_TYPES } from '../resource-types.ts'
import type { Make } from './make.ts'

/** The objects outside any namespace: the Namespace of the bank, and the definitions of Knative's kinds. */
export function clusterObjects(make: Make): KubernetesObject[] {
  const { generation: _none, ...metadata } = about(make, 'Namespace', NAMESPACE, {
    'kubernetes.io/metadata.name': NAMESPACE,
  })
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata, status: { phase: 'Active' } }
  const plurals = new Set(
    RESOURCE_TYPES.filter(({ group }) => group.endsWith('knative.dev')).map(
      ({ plural, group }) => `${plural}.${group}`,
    ),
  )
  return [namespace, ...[...plurals].map((name) => definition(make, name))]
}

/**
 * A kind as a cluster declares it, with the parts that clients read: `kn source list` finds the sources by a
 * label, and kubectl checks whether a kind is a custom one.
 */
function definition(make: Make, name: string): KubernetesObject {
  const versions = RESOURCE_TYPES.filter(({ plural, group }) => `${plural}.${group}` === name)
  const { group, kind, plural, singular, shortNames, categories } = versions[0]!
  const isSource = categories.includes('sources')
  return {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
    metadata: about(
      make,
      'CustomResourceDefinition',
      name,
      isSource ? { 'duck.knative.dev/source': 'true' } : {},
    ),
    spec: {
      ...{ group, scope: 'Namespaced' },
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories },
      versions: versions.map(({ version }) => ({
        ...{ name: version, served: true, storage: version === versions.at(-1)!.version },
      })),
    },
  }
}

function about(make: Make, kind: string, name: string, labels: Record<string, string>): Metadata {
  const { namespace: _none, ...metadata } = make.metadata(kind, {
    metadata: { name, labels, annotations: {} },
  })
  return metadata
}
