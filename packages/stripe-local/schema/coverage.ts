// Writes into the README what of Stripe's billing API is there, from the code itself: `node schema/coverage.ts`.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Shape } from '../src/http/params.ts'
import type { Route } from '../src/http/route.ts'
import { routes } from '../src/resources/index.ts'
import { isBeyondTypes } from '../src/schema/request.ts'
import {
  type EndpointSchema,
  endpointKey,
  type Fields,
  fieldsIn,
  requestSchema,
  type TypeSchema,
} from '../src/schema/schema.ts'

export const README = path.join(import.meta.dirname, '../README.md')
const BEGIN = '<!-- coverage: written by schema/coverage.ts -->'
const END = '<!-- end of coverage -->'

interface Coverage {
  /** Parameters by what becomes of them; nested ones as `items[price]`. */
  done: string[]
  onlyShown: string[]
  refused: string[]
  /** Read by a route, though the SDK has no such parameter. */
  invented: string[]
}

interface Endpoint {
  key: string
  schema: EndpointSchema
  /** Null when no route answers it. */
  coverage: Coverage | null
}

/** Every billing endpoint of the SDK and what the local Stripe does with it. */
export function coverage(): Endpoint[] {
  const byKey = new Map(routes.map((route) => [endpointKey(route.method, route.path), route]))
  return Object.entries(requestSchema.endpoints)
    .filter(([, schema]) => schema.isBilling)
    .map(([key, schema]) => ({ key, schema, coverage: coverageOf(schema, byKey.get(key)) }))
}

/** Routes for addresses the SDK has no method for. */
export function routesBesideTheSdk(): string[] {
  return routes.map((route) => endpointKey(route.method, route.path)).filter((key) => !requestSchema.endpoints[key])
}

function coverageOf(schema: EndpointSchema, route: Route | undefined): Coverage | null {
  if (!route) return null
  const found: Coverage = { done: [], onlyShown: [], refused: [], invented: [] }
  compare(route, fieldsOf(schema.params), route.params, '', found, [])
  return found
}

function compare(endpoint: Route, fields: Fields, shape: Shape, prefix: string, found: Coverage, seen: Fields[]): void {
  const nameOf = (key: string) => (prefix === '' ? key : `${prefix}[${key}]`)
  for (const [key, type] of Object.entries(fields)) {
    const name = key.replace('?', '')
    const rule = shape[name]
    if (name === 'expand' && prefix === '') continue
    if (!rule) found.refused.push(nameOf(name))
    else if (rule.isOnlyShown) found.onlyShown.push(nameOf(name))
    else {
      const inner = fieldsOf(type)
      if (rule.inner && Object.keys(inner).length > 0 && !seen.includes(inner))
        compare(endpoint, inner, rule.inner, nameOf(name), found, [...seen, inner])
      else found.done.push(nameOf(name))
    }
  }
  for (const key of Object.keys(shape)) {
    const isKnown = key in fields || `${key}?` in fields || (prefix === '' && isBeyondTypes(endpoint, key))
    if (!isKnown) found.invented.push(nameOf(key))
  }
}

/** The fields of an object type, also within a list or beside other alternatives. */
function fieldsOf(type: TypeSchema | undefined): Fields {
  if (typeof type !== 'object') return {}
  if ('array' in type) return fieldsOf(type.array)
  if ('any' in type) return Object.assign({}, ...type.any.map(fieldsOf))
  return fieldsIn(requestSchema.types, type)
}

/** The README's part between its two marks. */
export function coverageText(): string {
  const resources = Map.groupBy(coverage(), ({ schema }) => schema.resource)
  const rows = [...resources].map(([resource, endpoints]) => summary(resource, endpoints))
  const all = coverage()
  const there = all.filter((one) => one.coverage)
  const counts = countsOf(all)
  return [
    `${there.length} of the ${all.length} billing endpoints of stripe@${sdkVersion()}. Of their parameters ${counts.done} work,`,
    `${counts.onlyShown} are kept and shown again without any effect, and ${counts.refused} are refused by name. Nothing is ignored in silence.`,
    '',
    '| resource | endpoints | parameters that work | only shown | refused |',
    '|---|---:|---:|---:|---:|',
    ...rows,
    '',
    ...[...resources].flatMap(([resource, endpoints]) => details(resource, endpoints)),
  ].join('\n')
}

function summary(resource: string, endpoints: Endpoint[]): string {
  const there = endpoints.filter((one) => one.coverage).length
  const { done, onlyShown, refused } = countsOf(endpoints)
  return `| \`${resource}\` | ${there === 0 ? 'none' : there} of ${endpoints.length} | ${done} | ${onlyShown} | ${refused} |`
}

function countsOf(endpoints: Endpoint[]) {
  const sum = (kind: 'done' | 'onlyShown' | 'refused') =>
    endpoints.reduce((total, one) => total + (one.coverage?.[kind].length ?? 0), 0)
  return { done: sum('done'), onlyShown: sum('onlyShown'), refused: sum('refused') }
}

function details(resource: string, endpoints: Endpoint[]): string[] {
  const rows = endpoints.map(({ key, schema, coverage: of }) => {
    const [method, url] = key.split(' ') as [string, string]
    const address = `\`${method} ${url.replaceAll(':', '{id}')}\` ${schema.method}`
    return of
      ? `| ${address} | ${names(of.done)} | ${names(of.onlyShown)} | ${names(of.refused)} |`
      : `| ${address} | not there | | |`
  })
  return [
    `<details><summary><code>${resource}</code></summary>`,
    '',
    '| endpoint | done | only shown | refused |',
    '|---|---|---|---|',
    ...rows,
    '',
    '</details>',
  ]
}

function names(list: string[]): string {
  return list.map((name) => `\`${name}\``).join(' ')
}

function sdkVersion(): string {
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, '../package.json'), 'utf8'))
  return manifest.dependencies.stripe
}

/** The README with today's coverage in it. @throws Error when its marks are gone */
export function withCoverage(readme: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`README.md lacks the lines ${BEGIN} and ${END}.`)
  return `${readme.slice(0, begin + BEGIN.length)}\n${coverageText()}\n${readme.slice(end)}`
}

if (import.meta.main) writeFileSync(README, withCoverage(readFileSync(README, 'utf8')))
