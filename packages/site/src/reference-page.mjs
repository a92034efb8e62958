import { normalize } from 'node:path'
import { makeRecursiveVisitor, ReflectionKind } from 'typedoc'
import { slug } from './slug.mjs'

/** The order of exports: functions, then classes and constants, then types. */
const ranks = new Map([
  [ReflectionKind.Function, 0],
  [ReflectionKind.Class, 1],
  [ReflectionKind.Variable, 1],
  [ReflectionKind.Interface, 2],
  [ReflectionKind.TypeAlias, 2]
])

/** The comment tags that a page shows. Others would be lost silently, so they fail the build. */
const shown = new Set(['@default', '@param', '@returns', '@throws', '@typeParam'])

const widest = 100

/**
 * The page of an entry, as Markdown.
 *
 * @param entry the entry to describe
 * @param all all entries, for links between pages
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

/** The exports that the entry declares. A constant is followed by the type with the same name. */
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

/** A row of a table. Escapes bars, which would end a cell. */
const row = (cells) => `| ${cells.map((cell) => cell.replace(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
const fence = (text) => `\`\`\`ts\n${text}\n\`\`\``

/** A type as in the sources, without the default type parameters of Node's types, which are noise. */
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

  /** What the package adds to the types of a framework when it is imported. */
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

  /** Links to exports that another entry declares. */
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

  /** A type for a sentence or a table, with the names of exports as links. */
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

  /** TypeDoc makes a default without backticks a code block. This makes it inline code. */
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

  /** The members of an interface or a class: a list of the properties, and a section for each method. */
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

  /** A property as a list item, because a table would have too little room for a type and a sentence. */
  #property({ comment, flags, getSignature, name, setSignature, type = getSignature?.type }) {
    const about = comment ?? (getSignature ?? setSignature)?.comment
    const byDefault = this.#default(about)
    const head = `- **\`${name}${flags.isOptional ? '?' : ''}\`**: ${this.#type(type ?? setSignature.parameters[0].type)}`
    const lines = [byDefault === '' ? head : `${head}, by default ${byDefault}`, this.#summary(about)]
    return lines
      .filter((line) => line !== '')
      .join('\n\n')
      .replace(/\n(?=.)/g, '\n  ')
  }

  #method = (owner, { name, signatures }) => [`### ${owner}.${name}()`, ...this.#callable(signatures, name)]

  /** All overloads, then their comment. */
  #callable(signatures, name) {
    const [first] = signatures
    // A method of Node's EventEmitter with more precise types. Node documents the rest.
    if (first.comment?.inheritedFromParentDeclaration) return [fence(signatureText(first, name))]
    const { comment } = first
    const parameters = new Map(
      signatures.flatMap(({ parameters = [] }) => parameters.map((parameter) => [parameterName(parameter), parameter]))
    )
    const list = [...parameters].flatMap(([parameter, { comment, type }]) => {
      const [text, types] = [this.#summary(comment), this.#type(type)]
      return text === '' && !types.includes('](') ? [] : [`- \`${parameter}\`: ${types}${text && `, ${text}`}`]
    })
    const returns = this.#tag(comment, '@returns')
    const throws = (comment?.getTags('@throws') ?? []).map(({ content }) => `**Throws** ${this.#text(content)}`)
    return [
      fence(signatures.map((signature) => signatureText(signature, name)).join('\n')),
      this.#summary(comment),
      list.join('\n'),
      returns && `**Returns** ${returns}`,
      ...throws
    ]
  }
}

/** TypeDoc has no name for a destructured parameter. */
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

/** The type behind a type alias. A long union has each type on its own line. */
function aliased(type) {
  const text = typeText(type)
  if (text.length <= widest || type.type !== 'union') return text
  return type.types
    .map((one) => `\n  | ${one.needsParenthesis('unionElement') ? `(${typeText(one)})` : typeText(one)}`)
    .join('')
}
