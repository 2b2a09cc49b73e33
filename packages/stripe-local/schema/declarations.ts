import { readFileSync } from 'node:fs'
import path from 'node:path'
import {
  type Class,
  type ParserOptions,
  parseSync,
  type Statement,
  type TSInterfaceDeclaration,
  type TSType,
} from 'oxc-parser'

/** A declared type and where its names are looked up. */
export interface Declared {
  /** Unique in the SDK, e.g. `Prices.Price.Tier`. */
  name: string
  node: TSInterfaceDeclaration | TSType
  scope: Scope
}

/** A module, or a namespace within one. */
export interface Scope {
  name: string
  module: Module
  outer: Scope | null
  types: Map<string, Declared>
  namespaces: Map<string, Scope>
  /** Names of the module around that a namespace gives out again. */
  aliases: Map<string, string[]>
}

export interface Module {
  file: string
  scope: Scope
  classes: { name: string; methods: Method[] }[]
  /** What an imported name stands for; a null name is the whole module. */
  imports: Map<string, { file: string; name: string | null }>
  /** Re-exported as they are called there; a null name is everything. */
  exports: { file: string; name: string | null; as: string | null }[]
}

export interface Method {
  name: string
  params: TSType | null
  answer: TSType
}

/** The SDK's declaration files, parsed once each. */
export class Declarations {
  readonly #modules = new Map<string, Module>()
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  module(file: string): Module {
    let known = this.#modules.get(file)
    if (!known) {
      known = this.#parse(file)
      this.#modules.set(file, known)
    }
    return known
  }

  /** @throws Error for a name the SDK does not declare */
  resolve(parts: string[], from: Scope): Declared {
    const [first, ...rest] = parts as [string, ...string[]]
    for (let scope: Scope | null = from; scope; scope = scope.outer) {
      const found = this.#within(scope, first, rest)
      if (found) return found
    }
    const imported = from.module.imports.get(first)
    const found =
      imported &&
      (imported.name === null
        ? this.#exported(imported.file, rest)
        : this.#exported(imported.file, [imported.name, ...rest]))
    if (!found) throw new Error(`${from.module.file}: ${parts.join('.')} is declared nowhere`)
    return found
  }

  #within(scope: Scope, first: string, rest: string[]): Declared | undefined {
    const alias = scope.aliases.get(first)
    if (alias) return this.resolve([...alias, ...rest], scope.module.scope)
    if (rest.length === 0) return scope.types.get(first)
    const inner = scope.namespaces.get(first)
    return inner && this.#within(inner, rest[0]!, rest.slice(1))
  }

  #exported(file: string, parts: string[]): Declared | undefined {
    const module = this.module(file)
    const [first, ...rest] = parts as [string, ...string[]]
    const own = this.#within(module.scope, first, rest)
    if (own) return own
    for (const entry of module.exports) {
      if (entry.as !== null && entry.as !== first) continue
      const found =
        entry.as !== null && entry.name === null
          ? this.#exported(entry.file, rest)
          : this.#exported(entry.file, entry.name === null ? parts : [entry.name, ...rest])
      if (found) return found
    }
    return undefined
  }

  #parse(file: string): Module {
    const options: ParserOptions = { lang: 'dts', sourceType: 'module' }
    const { program, errors } = parseSync(file, readFileSync(file, 'utf8'), options)
    if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`)
    const name = path
      .relative(this.#root, file)
      .replace(/^resources\//, '')
      .replace('.d.ts', '')
      .replaceAll('/', '.')
    const module: Module = { file, scope: null as never, classes: [], imports: new Map(), exports: [] }
    module.scope = { name, module, outer: null, types: new Map(), namespaces: new Map(), aliases: new Map() }
    for (const statement of program.body) this.#readStatement(statement as Statement, module)
    return module
  }

  #readStatement(statement: Statement, module: Module): void {
    if (statement.type === 'ImportDeclaration') {
      for (const specifier of statement.specifiers) {
        const name =
          specifier.type === 'ImportSpecifier' && specifier.imported.type === 'Identifier'
            ? specifier.imported.name
            : null
        module.imports.set(specifier.local.name, { file: beside(module.file, statement.source.value), name })
      }
    } else if (statement.type === 'ExportAllDeclaration') {
      const as = statement.exported?.type === 'Identifier' ? statement.exported.name : null
      module.exports.push({ file: beside(module.file, statement.source.value), name: null, as })
    } else if (statement.type === 'ExportNamedDeclaration' && statement.source) {
      for (const { local, exported } of statement.specifiers) {
        if (local.type !== 'Identifier' || exported.type !== 'Identifier') continue
        module.exports.push({ file: beside(module.file, statement.source.value), name: local.name, as: exported.name })
      }
    } else if (statement.type === 'ExportNamedDeclaration' && statement.declaration) {
      this.#readDeclaration(statement.declaration as Statement, module.scope)
    } else this.#readDeclaration(statement, module.scope)
  }

  #readDeclaration(statement: Statement, scope: Scope): void {
    const qualified = (name: string) => `${scope.name}.${name}`
    if (statement.type === 'TSInterfaceDeclaration') {
      const { name } = statement.id
      scope.types.set(name, { name: qualified(name), node: statement, scope })
    } else if (statement.type === 'TSTypeAliasDeclaration') {
      const { name } = statement.id
      scope.types.set(name, { name: qualified(name), node: statement.typeAnnotation, scope })
    } else if (statement.type === 'TSModuleDeclaration' && statement.id.type === 'Identifier') {
      const { name } = statement.id
      const inner: Scope = scope.namespaces.get(name) ?? {
        name: qualified(name),
        module: scope.module,
        outer: scope,
        types: new Map(),
        namespaces: new Map(),
        aliases: new Map(),
      }
      scope.namespaces.set(name, inner)
      for (const one of statement.body?.type === 'TSModuleBlock' ? statement.body.body : []) {
        if (one.type === 'ExportNamedDeclaration' && !one.declaration) {
          for (const { local, exported } of one.specifiers) {
            if (local.type === 'Identifier' && exported.type === 'Identifier')
              inner.aliases.set(exported.name, [local.name])
          }
          continue
        }
        const declared = one.type === 'ExportNamedDeclaration' && one.declaration ? one.declaration : one
        this.#readDeclaration(declared as Statement, inner)
      }
    } else if (statement.type === 'ClassDeclaration' && statement.id) {
      scope.module.classes.push({ name: statement.id.name, methods: methodsOf(statement) })
    }
  }
}

function methodsOf(declaration: Class): Method[] {
  return declaration.body.body.flatMap((member) => {
    if (member.type !== 'TSAbstractMethodDefinition' && member.type !== 'MethodDefinition') return []
    if (member.key.type !== 'Identifier' || !member.value.returnType) return []
    const params = member.value.params.find((one) => one.type === 'Identifier' && one.name === 'params')
    const annotation = params?.type === 'Identifier' ? params.typeAnnotation?.typeAnnotation : undefined
    return [{ name: member.key.name, params: annotation ?? null, answer: member.value.returnType.typeAnnotation }]
  })
}

function beside(file: string, specifier: string): string {
  return path.resolve(path.dirname(file), specifier.replace(/\.js$/, '.d.ts'))
}
