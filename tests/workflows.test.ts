import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import Ajv from 'ajv'
import { parse } from 'yaml'
import { releaseUrls, writeSchemas } from '../.github/manifests/schemas.mjs'
import { files, read, ROOT, type Manifest } from './support/repository.ts'

/** What a fork gets besides the bank (workflows, devcontainer, guides), compared with what they refer to. */

const workflows = files(/^\.github\/workflows\/.*\.ya?ml$/).map((file) => ({ file, ...yaml(file) }))
const actions = files(/^\.github\/actions\/.*\/action\.ya?ml$/).map((file) => ({ file, ...yaml(file) }))
const jobs = workflows.flatMap(({ file, jobs: byName }) =>
  Object.entries<Manifest>(byName).map(([name, job]) => ({ ...job, name: `${file} ${name}` })),
)
const steps: Manifest[] = [...jobs.flatMap((job) => job.steps), ...actions.flatMap(({ runs }) => runs.steps)]
const uses = steps.flatMap((step) => (step.uses ? [step.uses as string] : []))
const commands = steps.flatMap((step) => (step.run ? [step.run as string] : []))
const { scripts, engines, version } = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>
  engines: { node: string }
  version: string
}

function yaml(file: string): Manifest {
  return parse(read(file), { strict: true, uniqueKeys: true })
}

function variables(file: string): Record<string, string> {
  return Object.fromEntries(
    [...read(file).matchAll(/^(\w+)=(.+)$/gm)].map(([, name, value]) => [name, value]),
  )
}

const runsTests = ({ run = '' }: Manifest): boolean => /^npm test\b/m.test(run)

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'microbank-workflows-'))))
afterEach(() => rmSync(folder, { recursive: true }))

describe('workflows', () => {
  test('each states its permissions, and by default it may only read', () => {
    expect(workflows.length).toBeGreaterThan(2)
    for (const { file, permissions } of workflows)
      expect([file, permissions]).toEqual([file, { contents: 'read' }])
  })

  test('only a tag gets a job that may write', () => {
    const tagged = "startsWith(github.ref, 'refs/tags/v')"
    const writing = jobs.filter(({ permissions = {} }) => Object.values(permissions).includes('write'))
    expect(writing.length).toBeGreaterThan(0)
    for (const { name, needs, ...job } of writing) {
      const before = jobs.find((other) => other.name === name.replace(/\S+$/, needs as string))
      expect([name, [job.if, before?.if].includes(tagged)]).toEqual([name, true])
    }
  })

  test('each job has a time-out, and a newer push cancels the run of an older one', () => {
    for (const job of jobs) expect([job.name, job['timeout-minutes'] > 0]).toEqual([job.name, true])
    for (const { file, concurrency } of workflows)
      expect([file, concurrency?.group]).toEqual([file, expect.stringContaining('github.ref')])
  })

  test('each action is pinned to a commit, with its version beside it, and to one commit everywhere', () => {
    const pins = new Map<string, string>()
    for (const action of uses.filter((each) => !each.startsWith('./'))) {
      const [, name, commit] = /^([\w./-]+)@([0-9a-f]{40})$/.exec(action) ?? []
      expect([action, commit]).toEqual([action, expect.any(String)])
      expect([name, pins.get(name!) ?? commit]).toEqual([name, commit])
      pins.set(name!, commit!)
    }
    const lines = [...workflows, ...actions].flatMap(({ file }) => read(file).match(/uses: [^.\n].*/g) ?? [])
    for (const line of lines) expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test('no step puts text that a stranger may have written into a shell', () => {
    for (const command of commands) expect(command).not.toMatch(/\$\{\{/)
  })

  test('everything that a step runs exists: npm scripts, scripts, actions of our own', () => {
    const npm = commands.flatMap((each) => [...each.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!))
    const paths = commands.flatMap((each) =>
      [...each.matchAll(/(?:bash|node|xargs) (?:\S+ )*?([\w.-]+\/[\w./-]+\.\w+)/g)].map(([, path]) => path!),
    )
    expect(npm.length).toBeGreaterThan(4)
    expect(paths.length).toBeGreaterThan(5)
    for (const name of npm) expect(Object.keys(scripts)).toContain(name)
    for (const action of uses.filter((each) => each.startsWith('./'))) paths.push(`${action}/action.yaml`)
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('D13: together they do all that .ci/run does', () => {
    const done = [...commands, ...actions.flatMap(({ runs }) => runs.steps.map(({ run }: Manifest) => run))]
    for (const [, step] of read('.ci/run').matchAll(/^ *(?:step|begin) npm (ci|run --silent \S+|test)/gm))
      expect(done.join('\n')).toContain(`npm ${step!.replace('--silent ', '')}`)
  })

  test('the tests run on the oldest Node that the package allows and on that of the image', () => {
    const { matrix } = jobs.find(({ name }) => name === '.github/workflows/ci.yaml test').strategy
    const [, image] = /^ARG NODE=node:(\d+)-/m.exec(read('Dockerfile'))!
    expect(matrix.node).toEqual([engines.node.replace('>=', ''), image])
    expect(actions[0]!.inputs.node.default).toBe(image)
  })
})

describe('the release', () => {
  const notes = (tag: string) =>
    spawnSync('bash', [join(ROOT, '.github/release-notes.sh'), tag], { encoding: 'utf8' })

  test('has the notes of its version in CHANGELOG.md, and of no other', () => {
    const { status, stdout } = notes(`v${version}`)
    expect(status).toBe(0)
    expect(stdout.trim()).not.toBe('')
    expect(read('CHANGELOG.md')).toContain(stdout.trim())
    expect(stdout).not.toMatch(/^## /m)
  })

  test('is refused if tag and package.json differ', () => {
    const refused = { status: 1, stdout: '', stderr: expect.stringContaining(`package.json says ${version}`) }
    expect(notes('v99.0.0')).toMatchObject(refused)
  })
})

describe('the redeployment', () => {
  test('changes a line that exists exactly once', () => {
    const script = read('.github/redeploy.sh')
    const value = (name: string) => new RegExp(`^${name}='?([^'\n]+)'?$`, 'm').exec(script)![1]!
    expect(read(value('file')).split(value('line'))).toHaveLength(2)
    expect(value('changed')).not.toContain(value('line'))
  })
})

describe('the schemas of the manifests', () => {
  const definition = `
kind: CustomResourceDefinition
spec:
  group: vaults.example.org
  names: { kind: Vault }
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                doors: { type: integer, nullable: true }
                width: { x-kubernetes-int-or-string: true }
                labels: { type: object, additionalProperties: { type: string } }
                extra: { type: object, x-kubernetes-preserve-unknown-fields: true, properties: { a: { type: string } } }
`
  const vault = { apiVersion: 'vaults.example.org/v1', kind: 'Vault', metadata: { name: 'cellar' } }

  test('are those of the releases that a cluster is made of', () => {
    const urls = releaseUrls(read('knative/cluster/up.sh'), read('knative/cluster/versions.env'))
    expect(urls.length).toBeGreaterThan(7)
    for (const url of urls)
      expect(url).toMatch(/^https:\/\/github\.com\/\S+\/(knative-)?v[\d.]+\/\S+\.ya?ml$/)
    expect(() => releaseUrls('"$GITHUB/a/$MISSING/b.yaml"', '')).toThrow('expected MISSING')
  })

  test('refuse an unknown field, unless the definition of its kind keeps unknown fields', () => {
    expect(writeSchemas(definition, folder)).toBe(1)
    const schema = JSON.parse(
      readFileSync(join(folder, 'vaults.example.org_vault_v1.json'), 'utf8'),
    ) as object
    const validate = new Ajv({ strict: false }).compile(schema)
    const judge = (spec: object) => validate({ ...vault, spec })
    expect(judge({ doors: null, width: '2m', labels: { any: 'x' }, extra: { b: 1 } })).toBe(true)
    expect(judge({ dors: 1 })).toBe(false)
    expect(judge({ doors: 'one' })).toBe(false)
    expect(judge({ labels: { any: 1 } })).toBe(false)
  })
})

describe('the tools', () => {
  const tools = variables('.devcontainer/tools.env')
  const cluster = variables('knative/cluster/versions.env')

  test('are of the versions that the cluster is made of', () => {
    expect(tools.KN).toBe(cluster.KNATIVE_SERVING)
    expect(tools.KUBECTL).toMatch(new RegExp(`^v1\\.${cluster.KUBERNETES_MINOR}\\.`))
    expect(cluster.KIND_NODE).toMatch(new RegExp(`^kindest/node:v1\\.${cluster.KUBERNETES_MINOR}\\.`))
  })

  /** Runs the script with a curl that answers with `content`, or with a list of checksums when it is asked
   * for one. */
  function install(tool: string, content: string, listed = content): ReturnType<typeof spawnSync> {
    const sum = createHash('sha256').update(listed).digest('hex')
    const answers = `case "\${!#}" in *checksums.txt) echo "${sum}  dist/kn-linux-amd64"; echo "${sum}  dist/kn-linux-arm64" ;; *) printf %s '${content}' ;; esac`
    writeFileSync(join(folder, 'curl'), `#!/usr/bin/env bash\n${answers}\n`, { mode: 0o755 })
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` }
    const script = join(ROOT, '.devcontainer/install-tools.sh')
    return spawnSync('bash', [script, join(folder, 'bin'), tool], { env, encoding: 'utf8' })
  }

  test('are installed if their checksum is the known one', () => {
    expect(install('kn', 'a tool')).toMatchObject({ status: 0 })
    expect(readFileSync(join(folder, 'bin/kn'), 'utf8')).toBe('a tool')
  })

  test.each([
    ['kubectl', 'something else', 'something else'],
    ['kn', 'something else', 'a tool'],
  ])('are not installed if it is another: %s', (tool, content, listed) => {
    expect(install(tool, content, listed)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`for ${tool}, got`),
    })
    expect(existsSync(join(folder, 'bin', tool))).toBe(false)
  })
})

test('who runs the tests not as root has what they would otherwise install', () => {
  const [, needed] = /^const NEEDED = ([^]*?)^\}\)$/m.exec(read('tests/support/prepare.mjs'))!
  const packages = [...needed!.matchAll(/'([\w-]+)',$/gm)].map(([, name]) => name!)
  expect(packages).toContain('shellcheck')
  // Who has no Chromium is told of this one. Machines of GitHub have another.
  const inContainer = [...packages, 'rabbitmq-server', 'chromium-headless-shell', 'python3-pip']
  // Both have these from the start.
  const lacking = (text: string, wanted: string[]) =>
    wanted.filter((name) => !['git', 'openssl', 'procps'].includes(name) && !text.split(/\s+/).includes(name))
  expect(lacking(read('.devcontainer/Dockerfile'), inContainer)).toEqual([])
  const asUser = jobs.filter(({ steps, container }) => !container && steps.some(runsTests))
  expect(asUser.map(({ name }) => name)).toEqual(['.github/workflows/ci.yaml test'])
  const run = asUser[0]!.steps.map((step: Manifest) => step.run ?? '').join('\n')
  expect(lacking(run, [...packages, 'rabbitmq-server'])).toEqual([])
})

describe('the devcontainer', () => {
  test('is of the image’s Node and Debian', () => {
    const [, node, debian] = /^ARG NODE=node:(\d+)-(\w+)-slim$/m.exec(read('Dockerfile'))!
    expect(read('.devcontainer/Dockerfile')).toContain(`FROM node:${node}-${debian}\n`)
  })

  test('is built from files that exist, and does not run as root', () => {
    const { build, remoteUser } = parse(read('.devcontainer/devcontainer.json').replace(/^\s*\/\/.*$/gm, ''))
    expect(existsSync(join(ROOT, '.devcontainer', build.dockerfile))).toBe(true)
    expect(remoteUser).toBe('node')
    for (const [, copied] of read('.devcontainer/Dockerfile').matchAll(/^COPY (.+) \S+$/gm))
      for (const file of copied!.split(' '))
        expect(files(/^\.devcontainer\//)).toContain(`.devcontainer/${file}`)
  })
})
