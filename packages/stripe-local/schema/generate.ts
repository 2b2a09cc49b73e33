// Turns the official SDK's own type declarations into what the local Stripe checks requests against, and its
// conformance suite answers: `node schema/generate.ts`. Run it after every update of the `stripe` package.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync, type TSInterfaceDeclaration, type TSType } from 'oxc-parser'
import type { AnswerSchema, EndpointSchema, Fields, RequestSchema, TypeSchema } from '../src/schema/schema.ts'
import { Declarations, type Declared, type Scope } from './declarations.ts'

const SDK = path.dirname(fileURLToPath(import.meta.resolve('stripe')))
const PACKAGE = path.resolve(import.meta.dirname, '..')
export const FILES = {
  requests: path.join(PACKAGE, 'src/schema/requests.json'),
  answers: path.join(PACKAGE, 'conformance/answers.json'),
}

/** What billing is made of. Of all other endpoints only the address is kept, to tell them from those that do not exist. */
const BILLING = new Set([
  'account',
  'billing.alerts',
  'billing.creditBalanceSummary',
  'billing.creditBalanceTransactions',
  'billing.creditGrants',
  'billing.meterEventAdjustments',
  'billing.meterEvents',
  'billing.meters',
  'billingPortal.configurations',
  'billingPortal.sessions',
  'charges',
  'checkout.sessions',
  'coupons',
  'creditNotes',
  'customers',
  'disputes',
  'entitlements.activeEntitlements',
  'entitlements.features',
  'events',
  'invoiceItems',
  'invoicePayments',
  'invoiceRenderingTemplates',
  'invoices',
  'paymentIntents',
  'paymentMethods',
  'plans',
  'prices',
  'products',
  'promotionCodes',
  'quotes',
  'radar.earlyFraudWarnings',
  'refunds',
  'setupAttempts',
  'setupIntents',
  'subscriptionItems',
  'subscriptionSchedules',
  'subscriptions',
  'taxIds',
  'taxRates',
  'testHelpers.testClocks',
  'tokens',
  'v2.billing.meterEventAdjustments',
  'v2.billing.meterEventSession',
  'v2.billing.meterEventStream',
  'v2.billing.meterEvents',
  'v2.core.eventDestinations',
  'v2.core.events',
  'webhookEndpoints',
])

/** The files' contents as they should be for the SDK that is installed. */
export function generate(): { requests: string; answers: string } {
  const declarations = new Declarations(SDK)
  const requests = new Encoder(declarations)
  const answers = new Encoder(declarations)
  const requestSchema: RequestSchema = { endpoints: {}, types: requests.types }
  const answerSchema: AnswerSchema = { endpoints: {}, types: answers.types }
  for (const { key, resource, method, scope, params, answer } of endpoints(declarations)) {
    const endpoint: EndpointSchema = { resource, method }
    requestSchema.endpoints[key] = endpoint
    if (!BILLING.has(resource)) continue
    endpoint.isBilling = true
    if (params) endpoint.params = requests.encode(params, scope)
    if (answer) answerSchema.endpoints[key] = answers.encode(answer, scope)
  }
  return { requests: written(requestSchema), answers: written(answerSchema) }
}

interface Endpoint {
  /** `POST /v1/customers/:`; each colon stands for an id. */
  key: string
  resource: string
  method: string
  scope: Scope
  params: TSType | null
  answer: TSType | null
}

function endpoints(declarations: Declarations): Endpoint[] {
  const found: Endpoint[] = []
  for (const file of filesUnder(path.join(SDK, 'resources')).toSorted()) {
    const calls = callsIn(file.replace('.d.ts', '.js'))
    const module = declarations.module(file)
    const resource = resourceOf(file)
    for (const { methods } of module.classes) {
      for (const { name, params, answer } of methods) {
        const key = calls.get(name)
        if (key) found.push({ key, resource, method: name, scope: module.scope, params, answer })
      }
    }
  }
  return found
}

/** `resources/Billing/CreditGrants.d.ts` is `billing.creditGrants`. */
function resourceOf(file: string): string {
  const parts = path.relative(path.join(SDK, 'resources'), file).replace('.d.ts', '').split(path.sep)
  return parts.map((part) => part[0]!.toLowerCase() + part.slice(1)).join('.')
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts') && path.basename(name) !== 'index.d.ts')
    .map((name) => path.join(folder, name))
}

/** What each method of a resource's class sends: the SDK's code says it, its types do not. */
function callsIn(file: string): Map<string, string> {
  const source = readFileSync(file, 'utf8')
  const calls = new Map<string, string>()
  for (const statement of parseSync(file, source).program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : null
    if (declared?.type !== 'ClassDeclaration') continue
    for (const member of declared.body.body) {
      if (member.type !== 'MethodDefinition' || member.key.type !== 'Identifier') continue
      const text = source.slice(member.start, member.end)
      const sent = /_makeRequest\('(\w+)',\s*(?:'([^']+)'|`([^`]+)`)/.exec(text)
      if (!sent) continue
      const url = (sent[2] ?? sent[3]!).replaceAll(/\$\{encodeURIComponent\(\w+\)\}/g, ':')
      if (url.includes('$')) throw new Error(`${file}: cannot read the address ${url}`)
      calls.set(member.key.name, `${sent[1]} ${url}`)
    }
  }
  return calls
}

const WRAPPERS: { [name: string]: 'is' | 'partial' | 'list' | 'v2_list' | 'search' } = {
  Promise: 'is',
  Response: 'is',
  Partial: 'partial',
  ApiList: 'list',
  ApiListPromise: 'list',
  V2ListPromise: 'v2_list',
  ApiSearchResultPromise: 'search',
}

/** Writes types down as data; named interfaces are kept once, by name. */
class Encoder {
  readonly types: { [name: string]: Fields } = {}
  readonly #declarations: Declarations

  constructor(declarations: Declarations) {
    this.#declarations = declarations
  }

  encode(type: TSType, scope: Scope): TypeSchema {
    switch (type.type) {
      case 'TSStringKeyword':
        return 'string'
      case 'TSNumberKeyword':
        return 'number'
      case 'TSBooleanKeyword':
        return 'boolean'
      case 'TSNullKeyword':
        return 'null'
      case 'TSAnyKeyword':
      case 'TSUnknownKeyword':
      case 'TSObjectKeyword':
        return 'any'
      case 'TSVoidKeyword':
      case 'TSNeverKeyword':
        return 'nothing'
      case 'TSLiteralType':
        return this.#literal(type)
      case 'TSArrayType':
        return { array: this.encode(type.elementType, scope) }
      case 'TSUnionType':
        return union(type.types.map((one) => this.encode(one, scope)))
      case 'TSTypeLiteral':
        return this.#members(type.members, scope)
      case 'TSTypeReference':
        return this.#reference(type, scope)
      case 'TSIntersectionType':
        return 'any'
      default:
        throw new Error(`${scope.module.file}: cannot write down ${type.type}`)
    }
  }

  #literal(type: Extract<TSType, { type: 'TSLiteralType' }>): TypeSchema {
    if (type.literal.type !== 'Literal') throw new Error(`cannot write down the literal ${type.literal.type}`)
    const { value } = type.literal
    return typeof value === 'boolean' ? { is: value } : { enum: [String(value)] }
  }

  #reference(type: Extract<TSType, { type: 'TSTypeReference' }>, scope: Scope): TypeSchema {
    const parts = nameOf(type.typeName)
    const inner = type.typeArguments?.params ?? []
    const [name] = parts as [string]
    if (parts.length === 1) {
      const wrapper = WRAPPERS[name]
      if (wrapper === 'is') return this.encode(inner[0]!, scope)
      if (wrapper) return { [wrapper]: this.encode(inner[0]!, scope) } as TypeSchema
      if (name === 'Array') return { array: this.encode(inner[0]!, scope) }
      if (name === 'Emptyable') return union([{ enum: [''] }, 'null', this.encode(inner[0]!, scope)])
      if (name === 'Omit') return this.#without(inner[0]!, inner[1]!, scope)
      if (name === 'OtherString') return 'other'
      if (name === 'Decimal') return 'decimal'
      if (name === 'Date') return 'date'
      if (name === 'StripeStreamResponse') return 'any'
    }
    return this.#named(this.#declarations.resolve(parts, scope))
  }

  #named(declared: Declared): TypeSchema {
    if (declared.node.type !== 'TSInterfaceDeclaration') return this.encode(declared.node, declared.scope)
    const { name } = declared
    if (isMap(declared.node.body.body)) return this.#members(declared.node.body.body, declared.scope)
    if (!this.types[name]) {
      this.types[name] = {}
      this.types[name] = this.#fields(declared)
    }
    return { ref: name }
  }

  #fields(declared: Declared): Fields {
    if (declared.node.type !== 'TSInterfaceDeclaration') throw new Error(`${declared.name} is no interface`)
    const inherited = declared.node.extends.flatMap(({ expression, typeArguments }) => {
      const parts = pathOf(expression)
      const base =
        parts[0] === 'Omit'
          ? this.#without(typeArguments!.params[0]!, typeArguments!.params[1]!, declared.scope)
          : this.#named(this.#declarations.resolve(parts, declared.scope))
      return typeof base === 'object' && 'ref' in base ? [this.types[base.ref]!] : []
    })
    const own = this.#own(declared.node.body.body, declared.scope)
    return Object.assign({}, ...inherited, own)
  }

  #members(members: readonly Member[], scope: Scope): TypeSchema {
    const [first] = members
    if (members.length === 1 && first?.type === 'TSIndexSignature')
      return { map: this.encode(first.typeAnnotation!.typeAnnotation, scope) }
    return { object: this.#own(members, scope) }
  }

  #own(members: readonly Member[], scope: Scope): Fields {
    const fields: Fields = {}
    for (const member of members) {
      if (member.type !== 'TSPropertySignature' || !member.typeAnnotation) continue
      const name = member.key.type === 'Identifier' ? member.key.name : String((member.key as { value: unknown }).value)
      fields[member.optional ? `${name}?` : name] = this.encode(member.typeAnnotation.typeAnnotation, scope)
    }
    return fields
  }

  #without(base: TSType, left: TSType, scope: Scope): TypeSchema {
    const encoded = this.encode(base, scope)
    const names = this.encode(left, scope)
    if (typeof encoded !== 'object' || !('ref' in encoded) || typeof names !== 'object' || !('enum' in names))
      throw new Error(`${scope.name}: cannot read Omit`)
    const name = `${encoded.ref} without ${names.enum.join(', ')}`
    const kept = Object.entries(this.types[encoded.ref]!).filter(([key]) => !names.enum.includes(key.replace('?', '')))
    this.types[name] = Object.fromEntries(kept)
    return { ref: name }
  }
}
type Member = Extract<Declared['node'], { type: 'TSInterfaceDeclaration' }>['body']['body'][number]

function isMap(members: readonly Member[]): boolean {
  return members.length === 1 && members[0]?.type === 'TSIndexSignature'
}

function nameOf(name: Extract<TSType, { type: 'TSTypeReference' }>['typeName']): string[] {
  if (name.type === 'Identifier') return [name.name]
  if (name.type === 'TSQualifiedName') return [...nameOf(name.left), name.right.name]
  throw new Error(`cannot read the name ${name.type}`)
}

/** `Event.Data`, as an interface extends it. */
function pathOf(expression: Base): string[] {
  if (expression.type === 'Identifier') return [expression.name]
  if (expression.type === 'MemberExpression' && expression.property.type === 'Identifier')
    return [...pathOf(expression.object), expression.property.name]
  throw new Error(`cannot read what is extended: ${expression.type}`)
}
type Base = TSInterfaceDeclaration['extends'][number]['expression']

/** One level, its literals in one enum. `other` says that Stripe may add values. */
function union(types: TypeSchema[]): TypeSchema {
  const flat = types.flatMap((one) => (typeof one === 'object' && 'any' in one ? one.any : [one]))
  const values = flat.flatMap((one) => (typeof one === 'object' && 'enum' in one ? one.enum : []))
  const isOpen = flat.some((one) => one === 'other' || (typeof one === 'object' && 'enum' in one && one.open))
  const others = flat.filter((one) => one !== 'other' && !(typeof one === 'object' && 'enum' in one))
  const unique = [...new Map(others.map((one) => [JSON.stringify(one), one])).values()]
  if (values.length > 0) unique.push({ enum: [...new Set(values)].toSorted(), ...(isOpen && { open: true as const }) })
  else if (isOpen) unique.push('string')
  return unique.length === 1 ? unique[0]! : { any: unique }
}

/** A line per endpoint and type, so that an update of the SDK is readable in review. */
function written(schema: RequestSchema | AnswerSchema): string {
  const sections = Object.entries(schema).map(([section, entries]) => {
    const lines = Object.entries(entries as { [key: string]: unknown })
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    return `  ${JSON.stringify(section)}: {\n${lines.join(',\n')}\n  }`
  })
  return `{\n${sections.join(',\n')}\n}\n`
}

if (import.meta.main) {
  const { requests, answers } = generate()
  writeFileSync(FILES.requests, requests)
  writeFileSync(FILES.answers, answers)
}
