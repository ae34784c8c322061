import { apiVersionOf, RESOURCE_TYPES, type ResourceType } from './resource-types.ts'

/** The Kubernetes that the cluster's own scripts set up; nothing but `kubectl version` looks at it. */
const KUBERNETES = { major: '1', minor: '36', gitVersion: 'v1.36.0+microbank' }

/** What a client asks to find out what is served here; undefined where a path is none of discovery. In the older form,
 * a list for each group, which every client understands. */
export function discover(path: string): object | undefined {
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
