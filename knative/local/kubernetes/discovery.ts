import { apiVersionOf, RESOURCE_TYPES, type ResourceType } from './resource-types.ts'

/** The Kubernetes version that the cluster's own scripts set up. Only `kubectl version` reads it. */
const KUBERNETES = { major: '1', minor: '36', gitVersion: 'v1.36.0+microbank' }

/**
 * Answers a client that asks which kinds are served here; undefined if the path is not part of discovery.
 * This is the older form, with a list for each group, which every client understands.
 */
export function discover(path: string): object | undefined {
  if (path.startsWith('/openapi/v3')) return openApi(path)
  const [root, group, version, ...rest] = path.split('/').slice(1)
  if (rest.length > 0) return undefined
  if (root === 'version' && group === undefined) {
    const { arch, platform, version: node } = process
    return { ...KUBERNETES, platform: `${platform}/${arch}`, compiler: 'node', goVersion: node }
  }
  if (root === 'api') return version === undefined ? core(group) : undefined
  if (root !== 'apis') return undefined
  if (group === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() }
  if (version === undefined) {
    const found = groups().find(({ name }) => name === group)
    return found && { kind: 'APIGroup', apiVersion: 'v1', ...found }
  }
  return resourceList(group, version)
}

/**
 * Tells kubectl that the server checks fields. Before kubectl changes anything it asks whether the server
 * does, and for a custom kind it looks at the answer for Namespace (cli-runtime, query_param_verifier_v3.go).
 * Without this answer, nobody would get to read why nothing can be changed.
 */
function openApi(path: string): object | undefined {
  const [index, core] = ['/openapi/v3', '/openapi/v3/api/v1']
  if (path === index) return { paths: { 'api/v1': { serverRelativeURL: core } } }
  if (path !== core) return undefined
  const patch = {
    parameters: [{ name: 'fieldValidation', in: 'query' }],
    'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Namespace' },
  }
  const info = { title: 'microbank', version: 'v1' }
  return { openapi: '3.0.0', info, paths: { '/api/v1/namespaces/{name}': { patch } } }
}

function core(version: string | undefined): object | undefined {
  return version === undefined
    ? { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
    : resourceList('', version)
}

function groups() {
  const names = new Set(RESOURCE_TYPES.map(({ group }) => group).filter(Boolean))
  return [...names].map((name) => {
    const own = new Set(RESOURCE_TYPES.filter(({ group }) => group === name).map(({ version }) => version))
    const versions = [...own].map((version) => ({ groupVersion: `${name}/${version}`, version }))
    return { name, versions, preferredVersion: versions[0] }
  })
}

function resourceList(group: string, version: string): object | undefined {
  const types = RESOURCE_TYPES.filter((type) => type.group === group && type.version === version)
  if (types.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: types.map(resource),
  }
}

const resource = ({ plural, singular, kind, isNamespaced, shortNames, categories }: ResourceType) => ({
  name: plural,
  singularName: singular,
  namespaced: isNamespaced,
  kind,
  verbs: ['get', 'list', 'watch'],
  ...(shortNames.length > 0 && { shortNames }),
  ...(categories.length > 0 && { categories }),
})
