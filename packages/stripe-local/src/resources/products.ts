import type { Kind } from '../account.ts'
import { refuse } from '../http/errors.ts'
import {
  flag,
  list,
  type Metadata,
  mergedMetadata,
  metadata,
  range,
  required,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'

export interface Product extends Stored {
  object: 'product'
  active: boolean
  attributes: string[]
  default_price: string | null
  description: string | null
  images: string[]
  livemode: false
  marketing_features: { name?: string }[]
  metadata: Metadata
  name: string
  package_dimensions: null
  shippable: boolean | null
  statement_descriptor: string | null
  tax_code: string | null
  tax_details: null
  type: 'service'
  unit_label: string | null
  updated: number
  url: string | null
}

export const product: Kind = { type: 'product', noun: 'product', references: { default_price: 'price' } }

const marketingFeatures = list(shape({ name: required(text({ max: 80 })) }), { max: 15 })

const changeable = {
  active: flag(),
  description: unsettable(text()),
  images: unsettable(list(text(), { max: 8 })),
  marketing_features: unsettable(marketingFeatures),
  metadata: metadata(),
  shippable: flag(),
  statement_descriptor: text({ max: 22 }),
  tax_code: unsettable(text()),
  unit_label: unsettable(text({ max: 12 })),
  url: unsettable(text()),
}

export const productRoutes = [
  route(
    'POST',
    '/v1/products',
    { ...changeable, id: text({ max: 255 }), name: required(text()) },
    (account, params) => {
      const created = account.seconds()
      if (params.id !== undefined && account.objects.any(params.id)) {
        throw refuse('Product already exists.', { code: 'resource_already_exists', param: 'id' })
      }
      const made = account.create<Product>(
        {
          id: params.id ?? newId('prod', 14),
          object: 'product',
          active: params.active ?? true,
          attributes: [],
          created,
          default_price: null,
          description: params.description ?? null,
          images: params.images ?? [],
          livemode: false,
          marketing_features: params.marketing_features ?? [],
          metadata: mergedMetadata({}, params.metadata),
          name: params.name,
          package_dimensions: null,
          shippable: params.shippable ?? null,
          statement_descriptor: params.statement_descriptor ?? null,
          tax_code: params.tax_code ?? null,
          tax_details: null,
          type: 'service',
          unit_label: params.unit_label ?? null,
          updated: created,
          url: params.url ?? null,
        },
        'product.created',
      )
      return account.present(made)
    },
  ),

  route('GET', '/v1/products/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Product>('product', id!)),
  ),

  route(
    'POST',
    '/v1/products/:id',
    { ...changeable, name: text(), default_price: unsettable(text()) },
    (
      account,
      { metadata: sent, images, marketing_features: features, default_price: defaultPrice, ...params },
      { id },
    ) => {
      const before = account.get<Product>('product', id!)
      if (defaultPrice) account.reference('price', defaultPrice, 'default_price')
      const changes = {
        ...params,
        ...(defaultPrice !== undefined && { default_price: defaultPrice }),
        ...(images !== undefined && { images: images ?? [] }),
        ...(features !== undefined && { marketing_features: features ?? [] }),
        metadata: mergedMetadata(before.metadata, sent),
        updated: account.seconds(),
      }
      return account.present(account.change(before, changes, 'product.updated'))
    },
  ),

  route(
    'GET',
    '/v1/products',
    { ...paging, active: flag(), created: range(), ids: list(text()), shippable: flag(), url: text() },
    (account, params) =>
      listPage<Product>(account, 'product', '/v1/products', params, {
        where: { '$.active': params.active, '$.shippable': params.shippable, '$.url': params.url },
        ...(params.created && { created: params.created }),
        ...(params.ids && { also: { sql: `id in (${params.ids.map(() => '?').join(', ')})`, values: params.ids } }),
      }),
  ),

  route('DELETE', '/v1/products/:id', {}, (account, _params, { id }) => {
    const gone = account.get<Product>('product', id!)
    if (account.objects.all('price', { '$.product': gone.id }).length > 0) {
      throw refuse('This product cannot be deleted because it has one or more user-created prices.')
    }
    account.objects.remove(gone.id)
    account.events.emit('product.deleted', account.present(gone))
    return { id: gone.id, object: 'product', deleted: true }
  }),
]
