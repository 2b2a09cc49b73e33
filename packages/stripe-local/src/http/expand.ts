import type { Account, Wire } from '../account.ts'
import type { Stored } from '../objects.ts'
import { refuseParameter } from './errors.ts'

const DEPTH_MAX = 4

/** Replaces ids by the objects they name, along each path such as `data.customer` or `latest_invoice.lines`. */
export function expand(account: Account, shown: Wire, paths: string[]): Wire {
  const answer = ownCopy(shown)
  for (const path of paths) {
    const segments = path.split('.')
    if (segments.length > DEPTH_MAX) {
      throw refuseParameter(`You cannot expand more than ${DEPTH_MAX} levels of a property (${path}).`)
    }
    walk(account, answer, segments, { path, isList: answer.object === 'list' })
  }
  return answer
}

type Place = { path: string; isList: boolean }

/** `owner` is the object the walk is in, `within` the fields passed since. */
function walk(account: Account, node: Wire, segments: string[], place: Place, owner: Wire = node, within = ''): void {
  const [name, ...rest] = segments as [string, ...string[]]
  const at = within === '' ? name : `${within}.${name}`
  const kind = account.kinds.get(String(owner.object))
  const compute = kind?.onExpand && Object.hasOwn(kind.onExpand, at) ? kind.onExpand[at] : undefined
  if (!Object.hasOwn(node, name) && compute) {
    const stored = account.objects.any(String(owner.id))
    node[name] = stored ? ownCopy(compute(account, stored as never)) : null
  }
  if (!Object.hasOwn(node, name)) {
    if (node.object === 'list' && place.isList && node === owner)
      throw cannotExpand(place.path, true, `data.${place.path}`)
    throw cannotExpand(place.path, true)
  }
  const target = kind?.references?.[at]
  const value = node[name]
  if (typeof value === 'string') {
    if (!target) throw cannotExpand(place.path, false)
    node[name] = presentById(account, value)
  } else if (Array.isArray(value) && target) {
    node[name] = value.map((id) => (typeof id === 'string' ? presentById(account, id) : id))
  } else if (value === null && !target && !compute && rest.length === 0) throw cannotExpand(place.path, false)
  else if ((typeof value === 'number' || typeof value === 'boolean') && !target) throw cannotExpand(place.path, false)
  else if (isPlain(value) && !compute && rest.length === 0) throw cannotExpand(place.path, false)
  if (rest.length === 0) return
  for (const inner of Array.isArray(node[name]) ? (node[name] as Wire[]) : [node[name] as Wire]) {
    if (typeof inner !== 'object' || inner === null) continue
    const isObject = typeof inner.object === 'string'
    walk(account, inner, rest, place, isObject ? inner : owner, isObject ? '' : at)
  }
}

/** Neither an object of the API nor a list of them. */
function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('object' in value)
}

function presentById(account: Account, id: string): Wire | string {
  const stored: Stored | undefined = account.objects.any(id)
  return stored ? ownCopy(account.present(stored)) : id
}

/** What is shown shares its inner parts with what is stored, and here it is written into. */
function ownCopy<T>(shown: T): T {
  // Undefined is a field that this object does not have, such as the tiers of a price without any.
  return shown === undefined ? shown : (JSON.parse(JSON.stringify(shown)) as T)
}

function cannotExpand(path: string, absent: boolean, instead?: string) {
  const hint = instead ? ` You may want to try expanding '${instead}' instead.` : ''
  const message = absent
    ? `This property cannot be expanded because it doesn't exist: ${path}.`
    : `This property cannot be expanded (${path}).`
  return refuseParameter(message + hint)
}
