import { normalize } from 'node:path'
import { makeRecursiveVisitor, ReflectionKind } from 'typedoc'
import { slug } from './slug.mjs'

/** What is called comes first, then classes and constants, then the types that those take and return. */
const ranks = new Map([
  [ReflectionKind.Function, 0],
  [ReflectionKind.Class, 1],
  [ReflectionKind.Variable, 1],
  [ReflectionKind.Interface, 2],
  [ReflectionKind.TypeAlias, 2]
])

/** The tags of comments that a page shows; others would be lost silently, so they fail the build. */
const shown = new Set(['@default', '@param', '@returns', '@throws', '@typeParam'])

const widest = 100

/**
 * The page of one entry, as Markdown.
 *
 * @param entry the page's own
 * @param all every entry, for the links
 */
export function referencePage(entry, all) {
  const { description, module, name } = entry
  const page = new Page(entry, all)
  const parts = [
    `# ${name}`,
    `${description}.`,
    ...symbolsOf(module).flatMap(page.symbol),
    ...page.additions(),
    ...page.reExports()
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** The exports that are declared here. A constant is followed by the type of its values, which has its name. */
function symbolsOf({ children }) {
  const own = children.filter(({ kind }) => ranks.has(kind))
  const rankOf = ({ name }) => Math.min(...own.filter((one) => one.name === name).map(({ kind }) => ranks.get(kind)))
  const compare = (one, other) => (one === other ? 0 : one < other ? -1 : 1)
  return own.sort(
    (one, other) =>
      compare(rankOf(one), rankOf(other)) ||
      compare(one.name, other.name) ||
      compare(ranks.get(one.kind), ranks.get(other.kind))
  )
}

const titleOf = ({ kind, name }) => (kind === ReflectionKind.Function ? `${name}()` : name)

/** A row of a table; a bar in a cell would end it. */
const row = (cells) => `| ${cells.map((cell) => cell.replace(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
const fence = (text) => `\`\`\`ts\n${text}\n\`\`\``

/** A type as the sources write it: the parameters that Node's own types have by default are noise. */
const typeText = (type) =>
  String(type)
    .replaceAll('"', "'")
    .replace(/<typeof \w+(?:, typeof \w+)*>/g, '')
    .replace(/\b(\w+) \| \1\b/g, '$1')

class Page {
  #entry
  #all

  constructor(entry, all) {
    this.#entry = entry
    this.#all = all
  }

  symbol = (reflection) => {
    const { kind, name } = reflection
    const isOfConstant =
      kind === ReflectionKind.TypeAlias &&
      this.#entry.module.children.some((other) => other.kind === ReflectionKind.Variable && other.name === name)
    return [isOfConstant ? `### The type ${name}` : `## ${titleOf(reflection)}`, ...this.#declaration(reflection)]
  }

  /** What the types of a framework have once the package is imported. */
  additions() {
    const { additions, folder } = this.#entry
    if (additions === undefined) return []
    const own = additions.children.map((type) => ({
      name: type.name,
      children: type.children.filter(({ sources }) => normalize(sources[0].fullFileName).startsWith(folder))
    }))
    return ['## Added to the types of the framework', ...own.flatMap((type) => this.#added(type))]
  }

  #added({ children, name }) {
    const list = children
      .filter(({ kind }) => kind === ReflectionKind.Property)
      .map((property) => `- **\`${property.name}\`**: ${this.#summary(property.comment)}`)
    const methods = children.filter(({ kind }) => kind === ReflectionKind.Method)
    return [
      list.length > 0 ? `### ${name}` : '',
      list.join('\n'),
      ...methods.flatMap((method) => this.#method(name, method))
    ]
  }

  /** Links to what other entries declare and this one exports too. */
  reExports() {
    const links = this.#entry.module.children
      .filter(({ kind }) => kind === ReflectionKind.Reference)
      .map((reference) => reference.getTargetReflectionDeep())
      .filter(({ parent }) => parent !== this.#entry.module)
      .map((target) => this.#link(target.name, target))
    return links.length > 0 ? ['## Also exported', links.join(', ')] : []
  }

  #link(text, reflection) {
    const home = this.#all.find(({ module }) => module === reflection?.parent)
    if (home === undefined) return `\`${text}\``
    const page = home === this.#entry ? '' : `${home.page}.md`
    return `[\`${text}\`](${page}#${slug(titleOf(reflection))})`
  }

  /** A type in a sentence or a table, in which the names of exports are links. */
  #type(type) {
    const targets = new Map()
    type.visit(makeRecursiveVisitor({ reference: ({ name, reflection }) => targets.set(name, reflection) }))
    return typeText(type)
      .split(/('[^']*'|\b[A-Za-z]\w*\b)/)
      .map((part) => (targets.has(part) ? this.#link(part, targets.get(part)) : part && `\`${part}\``))
      .join('')
      .replaceAll('``', '')
  }

  #text = (parts = []) =>
    parts
      .map(({ kind, tag, target, text }) =>
        kind === 'inline-tag' && tag === '@link' ? this.#link(text, target) : text
      )
      .join('')
      .trim()

  #summary(comment) {
    const unknown = comment?.blockTags.find(({ tag }) => !shown.has(tag))
    if (unknown !== undefined) throw new Error(`The API reference does not know what to do with ${unknown.tag}`)
    return this.#text(comment?.summary)
  }

  #tag = (comment, tag) => this.#text(comment?.getTag(tag)?.content)

  /** TypeDoc takes a default for code; one with code in it is text. */
  #default = (comment) => this.#tag(comment, '@default').replace(/^```\w*\n(.*)\n```$/s, '`$1`')

  #declaration(reflection) {
    const { comment, kind, name, signatures, type } = reflection
    switch (kind) {
      case ReflectionKind.Function:
        return this.#callable(signatures, `function ${name}`)
      case ReflectionKind.Variable:
        return this.#variable(reflection)
      case ReflectionKind.TypeAlias:
        return [fence(`type ${name}${typeParameters(reflection)} = ${aliased(type)}`), this.#summary(comment)]
      default:
        return [
          signatures === undefined ? '' : fence(signatures.map((signature) => signatureText(signature)).join('\n')),
          this.#summary(comment),
          ...this.#members(reflection)
        ]
    }
  }

  #variable({ comment, name, type }) {
    const values = type.declaration?.children ?? []
    if (values.length === 0) return [fence(`const ${name}: ${typeText(type)}`), this.#summary(comment)]
    const rows = values.map((value) => [
      `\`${name}.${value.name}\``,
      `\`${typeText(value.type)}\``,
      this.#summary(value.comment)
    ])
    return [this.#summary(comment), table(['Name', 'Value', 'Meaning'], rows)]
  }

  /** What an interface or a class has: the properties in a table, a section for each method. */
  #members({ children = [], extendedTypes = [], name }) {
    const isExported = (type) => this.#all.some(({ module }) => module === type?.reflection?.parent)
    const own = children.filter(
      ({ inheritedFrom }) => !this.#all.some(({ module }) => module === inheritedFrom?.reflection?.parent?.parent)
    )
    const bases = extendedTypes.filter(isExported).map((type) => this.#type(type))
    const properties = own.filter(({ kind }) => kind === ReflectionKind.Property || kind === ReflectionKind.Accessor)
    const methods = own.filter(({ kind, name }) => kind === ReflectionKind.Method && !name.startsWith('['))
    return [
      bases.length > 0 ? `Extends ${bases.join(' and ')}.` : '',
      properties.map((property) => this.#property(property)).join('\n'),
      ...methods.flatMap((method) => this.#method(name, method))
    ]
  }

  /** An item of a list: in a table, a type and a sentence would leave each other no room. */
  #property({ comment, flags, getSignature, name, type }) {
    const about = comment ?? getSignature?.comment
    const byDefault = this.#default(about)
    const head = `- **\`${name}${flags.isOptional ? '?' : ''}\`**: ${this.#type(type ?? getSignature.type)}`
    const lines = [byDefault === '' ? head : `${head}, by default ${byDefault}`, this.#summary(about)]
    return lines
      .filter((line) => line !== '')
      .join('\n\n')
      .replace(/\n(?=.)/g, '\n  ')
  }

  #method = (owner, { name, signatures }) => [`### ${owner}.${name}()`, ...this.#callable(signatures, name)]

  /** All overloads, then what their comment says. */
  #callable(signatures, name) {
    const [first] = signatures
    // A method that Node's EventEmitter has too, with types of its own: the rest of it is described by Node.
    if (first.comment?.inheritedFromParentDeclaration) return [fence(signatureText(first, name))]
    const { comment } = first
    const parameters = new Map(
      signatures.flatMap(({ parameters = [] }) => parameters.map((parameter) => [parameterName(parameter), parameter]))
    )
    const list = [...parameters].flatMap(([parameter, { comment, type }]) => {
      const [text, types] = [this.#summary(comment), this.#type(type)]
      return text === '' && !types.includes('](') ? [] : [`- \`${parameter}\`: ${types}${text && `, ${text}`}`]
    })
    const [returns, throws] = [this.#tag(comment, '@returns'), this.#tag(comment, '@throws')]
    return [
      fence(signatures.map((signature) => signatureText(signature, name)).join('\n')),
      this.#summary(comment),
      list.join('\n'),
      returns && `**Returns** ${returns}`,
      throws && `**Throws** ${throws}`
    ]
  }
}

/** TypeDoc has no name for a parameter that is taken apart. */
const parameterName = ({ name }) => (name === '__namedParameters' ? 'options' : name)

function typeParameters({ typeParameters = [] }) {
  const list = typeParameters.map(({ default: byDefault, name, type }) => {
    const bound = type === undefined ? '' : ` extends ${typeText(type)}`
    return `${name}${bound}${byDefault === undefined ? '' : ` = ${typeText(byDefault)}`}`
  })
  return list.length === 0 ? '' : `<${list.join(', ')}>`
}

function signatureText(signature, name = '') {
  const given = (signature.parameters ?? []).map((parameter) => {
    const { defaultValue, flags, type } = parameter
    const mark = flags.isOptional || defaultValue !== undefined ? '?' : ''
    return `${flags.isRest ? '...' : ''}${parameterName(parameter)}${mark}: ${typeText(type)}`
  })
  const [begin, end] = [`${name}${typeParameters(signature)}(`, `): ${typeText(signature.type)}`]
  const line = begin + given.join(', ') + end
  return line.length <= widest ? line : `${begin}\n${given.map((one) => `  ${one}`).join(',\n')}\n${end}`
}

/** What a type is another name for; a long union has a line for each of its types. */
function aliased(type) {
  const text = typeText(type)
  if (text.length <= widest || type.type !== 'union') return text
  return type.types
    .map((one) => `\n  | ${one.needsParenthesis('unionElement') ? `(${typeText(one)})` : typeText(one)}`)
    .join('')
}
