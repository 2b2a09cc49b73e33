import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'

export interface Product extends Stored {
  object: 'product'
  active: boolean
  default_price: string | null
  description: string | null
  images: string[]
  livemode: false
  marketing_features: { name?: string }[]
  metadata: Metadata
  name: string
  package_dimensions: { height: number; length: number; weight: number; width: number } | null
  shippable: boolean | null
  statement_descriptor: string | null
  tax_code: string | null
  tax_details: { performance_location: string | null; tax_code: string | null } | null
  type: 'good' | 'service'
  unit_label: string | null
  updated: number
  url: string | null
}

export type NewProduct = { name: string; id?: string | undefined; metadata?: Metadata | null | undefined } & {
  [F in Exclude<keyof Product, 'id' | 'object' | 'created' | 'updated' | 'livemode' | 'metadata' | 'name'>]?:
    | Product[F]
    | undefined
}

/** @throws ApiError when the caller's own id is taken */
export function createProduct(account: Account, given: NewProduct): Product {
  const { id, metadata: sent, ...fields } = given
  if (id !== undefined && account.objects.any(id)) {
    throw refuse('Product already exists.', { code: 'resource_already_exists', param: 'id' })
  }
  const created = account.seconds()
  return account.create<Product>(
    {
      id: id ?? newId('prod', 14),
      object: 'product',
      active: true,
      created,
      default_price: null,
      description: null,
      images: [],
      livemode: false,
      marketing_features: [],
      package_dimensions: null,
      shippable: null,
      statement_descriptor: null,
      tax_code: null,
      tax_details: null,
      type: 'service',
      unit_label: null,
      url: null,
      ...definedOf(fields),
      name: given.name,
      metadata: mergedMetadata({}, sent),
      updated: created,
    },
    'product.created',
  )
}

function definedOf<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** What `tax_details` shows: null unless something was given; both of its keys otherwise. */
export function taxDetailsFrom(
  given: { performance_location?: string | undefined; tax_code?: string | null | undefined } | null | undefined,
): Product['tax_details'] {
  if (!given) return null
  return { performance_location: given.performance_location ?? null, tax_code: given.tax_code ?? null }
}
