import type { Account, Kind } from '../account.ts'
import { createPrice, type Price } from '../catalogue/price.ts'
import { createProduct, type Product, taxDetailsFrom } from '../catalogue/product.ts'
import { refuse } from '../http/errors.ts'
import {
  flag,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  range,
  required,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { defaultPriceData } from './prices.ts'

export type { Product } from '../catalogue/product.ts'

export const product: Kind = { type: 'product', noun: 'product', references: { default_price: 'price' } }

/** Inches and ounces; at most two decimal places. */
const measure = text({ max: 20 })
const packageDimensions = shape({
  height: required(measure),
  length: required(measure),
  weight: required(measure),
  width: required(measure),
})

const changeable = {
  active: flag(),
  description: unsettable(text()),
  images: onlyShown(unsettable(list(text(), { max: 8 }))),
  marketing_features: onlyShown(unsettable(list(shape({ name: required(text({ max: 80 })) }), { max: 15 }))),
  metadata: metadata(),
  package_dimensions: onlyShown(unsettable(packageDimensions)),
  shippable: flag(),
  statement_descriptor: onlyShown(text({ max: 22 })),
  tax_code: onlyShown(unsettable(text())),
  tax_details: onlyShown(unsettable(shape({ performance_location: text(), tax_code: unsettable(text()) }))),
  unit_label: unsettable(text({ max: 12 })),
  url: unsettable(text()),
}

export const productRoutes = [
  route(
    'POST',
    '/v1/products',
    {
      ...changeable,
      default_price_data: defaultPriceData,
      id: text({ max: 255 }),
      name: required(text()),
      type: oneOf('good', 'service'),
    },
    (account, { default_price_data: priceData, images, marketing_features: features, ...params }) => {
      const made = createProduct(account, {
        ...params,
        images: images ?? [],
        marketing_features: features ?? [],
        package_dimensions: dimensionsFrom(params.package_dimensions),
        tax_details: taxDetailsFrom(params.tax_details),
      })
      if (!priceData) return account.present(made)
      const { id } = createPrice(account, { ...priceData, product: made.id })
      return account.present(account.change(made, { default_price: id }, 'product.updated'))
    },
  ),

  route('GET', '/v1/products/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Product>('product', id!)),
  ),

  route(
    'POST',
    '/v1/products/:id',
    { ...changeable, name: text(), default_price: unsettable(text()) },
    (account, params, { id }) => {
      const before = account.get<Product>('product', id!)
      const { metadata: sent, images, marketing_features: features, default_price: defaultPrice, ...fields } = params
      const changes = {
        ...fields,
        ...(defaultPrice !== undefined && { default_price: defaultPrice && ownPrice(account, before, defaultPrice) }),
        ...(images !== undefined && { images: images ?? [] }),
        ...(features !== undefined && { marketing_features: features ?? [] }),
        ...(fields.package_dimensions !== undefined && {
          package_dimensions: dimensionsFrom(fields.package_dimensions),
        }),
        ...(fields.tax_details !== undefined && { tax_details: taxDetailsFrom(fields.tax_details) }),
        metadata: mergedMetadata(before.metadata, sent),
      } as Partial<Product>
      return account.present(account.change(before, { ...changes, updated: account.seconds() }, 'product.updated'))
    },
  ),

  route(
    'GET',
    '/v1/products',
    {
      ...paging,
      active: flag(),
      created: range(),
      ids: list(text()),
      shippable: flag(),
      type: oneOf('good', 'service'),
      url: text(),
    },
    (account, params) => {
      const { ids } = params
      if (ids && (params.starting_after !== undefined || params.ending_before !== undefined)) {
        throw refuse('You cannot use `ids` together with `starting_after` or `ending_before`.', { param: 'ids' })
      }
      return listPage<Product>(account, 'product', '/v1/products', params, {
        where: {
          '$.active': params.active,
          '$.shippable': params.shippable,
          '$.type': params.type,
          '$.url': params.url,
        },
        ...(params.created && { created: params.created }),
        ...(ids && { also: { sql: `id in (${ids.map(() => '?').join(', ')})`, values: ids } }),
      })
    },
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

function ownPrice(account: Account, owner: Product, id: string): string {
  const found = account.reference<Price>('price', id, 'default_price')
  if (found.product !== owner.id) {
    throw refuse(`The price \`${id}\` belongs to another product, \`${found.product}\`.`, { param: 'default_price' })
  }
  if (!found.active) throw refuse(`The price \`${id}\` is inactive.`, { param: 'default_price' })
  return found.id
}

function dimensionsFrom(
  given: { height: string; length: string; weight: string; width: string } | null | undefined,
): Product['package_dimensions'] {
  if (!given) return null
  const { height, length, weight, width } = given
  return { height: Number(height), length: Number(length), weight: Number(weight), width: Number(width) }
}
