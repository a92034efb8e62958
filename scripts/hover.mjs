/**
 * Lists everything in the public interface that has no explanation when an editor shows it: exports of the public
 * packages and the types that they refer to, with all members and overloads, and additions to the types of a framework.
 */
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { publicPackages } from './public-packages.mjs'
import { root } from './root.mjs'

// TypeScript 7 has another API. API Extractor depends on an earlier version.
const require = createRequire(createRequire(import.meta.url).resolve('@microsoft/api-extractor'))
const ts = require('typescript')

const entries = publicPackages().flatMap(({ directory, manifest }) =>
  Object.values(manifest.exports)
    .filter((conditions) => conditions.import?.types !== undefined)
    .map((conditions) => join(root, directory, conditions.import.types))
)
const program = ts.createProgram(entries, {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  strict: true,
  skipLibCheck: true
})
const checker = program.getTypeChecker()
const seen = new Set()
const silent = new Set()

const isOwn = (node) => /[\\/]packages[\\/][^\\/]+[\\/]dist[\\/]/.test(node.getSourceFile().fileName)

/** Whether a declaration adds to a type of another package, which explains it. */
const isAddition = (node) => ts.isModuleBlock(node.parent) && ts.isStringLiteral(node.parent.parent.name)

const isExplained = (node) =>
  ts
    .getJSDocCommentsAndTags(node)
    .some((part) => ts.isJSDoc(part) && (ts.getTextOfJSDocComment(part.comment) || isInternal(part)))

const isInternal = ({ tags = [] }) => tags.some(({ tagName }) => tagName.text === 'internal')

function check(node, name) {
  if (!isExplained(node)) silent.add(`${relative(root, node.getSourceFile().fileName)}: ${name}`)
}

function visitSymbol(symbol, name = symbol.name) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  if (seen.has(target)) return
  seen.add(target)
  for (const node of (target.declarations ?? []).filter(isOwn)) {
    if (ts.isModuleDeclaration(node)) visitExports(target, `${name}.`)
    else if (!ts.isTypeParameterDeclaration(node) && !ts.isSourceFile(node)) {
      if (!isAddition(node)) check(node, name)
      visitParts(node, name)
    }
  }
}

function visitExports(module, prefix = '') {
  for (const symbol of checker.getExportsOfModule(module)) visitSymbol(symbol, prefix + symbol.name)
}

/** The members of a declaration, and the types that it refers to. */
function visitParts(node, name) {
  ts.forEachChild(node, function visit(child) {
    if (ts.isClassElement(child) || ts.isTypeElement(child)) {
      if (child.name !== undefined && ts.isPrivateIdentifier(child.name)) return
      const member = `${name}.${child.name?.getText() ?? ts.SyntaxKind[child.kind]}`
      check(child, member)
      visitParts(child, member)
      return
    }
    const reference = ts.isTypeReferenceNode(child)
      ? child.typeName
      : ts.isHeritageClause(child)
        ? undefined
        : child.expression
    const symbol = reference && checker.getSymbolAtLocation(reference)
    if (symbol !== undefined) visitSymbol(symbol)
    ts.forEachChild(child, visit)
  })
}

for (const file of entries) visitExports(checker.getSymbolAtLocation(program.getSourceFile(file)))
for (const { statements } of program.getSourceFiles().filter(isOwn)) {
  for (const { body } of statements.filter((node) => ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name))) {
    for (const node of body?.statements ?? []) {
      const name = node.name?.getText() ?? ts.SyntaxKind[node.kind]
      if (!ts.isInterfaceDeclaration(node)) check(node, name)
      visitParts(node, name)
    }
  }
}

for (const line of [...silent].sort()) process.stdout.write(`${line}\n`)
process.exitCode = silent.size > 0 ? 1 : 0
