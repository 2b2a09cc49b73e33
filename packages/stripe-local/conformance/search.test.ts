import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { refusal } from './refusal.ts'

const DOCS = 'docs.stripe.com/search'

conformance(
  'customers are found by email, name and metadata',
  `${DOCS}: "You can combine multiple query clauses in a search by either separating them with a space, or using the AND or OR keywords (case insensitive)."`,
  async ({ stripe, unique, eventually }) => {
    const mark = unique('mark')
    const amy = await stripe.customers.create({ email: `amy.${mark}@rocketrides.io`, name: 'Amy', metadata: { mark } })
    const bob = await stripe.customers.create({ email: `bob.${mark}@example.com`, name: 'Bob', metadata: { mark } })
    const find = async (query: string) => (await stripe.customers.search({ query })).data.map(({ id }) => id).toSorted()

    await eventually(async () => {
      assert.deepEqual(await find(`metadata["mark"]:"${mark}"`), [amy.id, bob.id].toSorted())
      assert.deepEqual(await find(`email:"amy.${mark}@rocketrides.io"`), [amy.id])
      assert.deepEqual(await find(`email~"${mark}@rocketrides"`), [amy.id])
      assert.deepEqual(await find(`metadata["mark"]:"${mark}" AND -name:"amy"`), [bob.id])
      assert.deepEqual(await find(`metadata["mark"]:"${mark}" created>=${amy.created}`), [amy.id, bob.id].toSorted())
      assert.deepEqual(await find(`metadata["mark"]:"${mark}" AND metadata["other"]:null`), [amy.id, bob.id].toSorted())
      assert.deepEqual(await find(`metadata["mark"]:"${mark}" and -metadata["other"]:null`), [])
      assert.deepEqual(
        await find(`email:"amy.${mark}@rocketrides.io" OR email:"bob.${mark}@example.com"`),
        [amy.id, bob.id].toSorted(),
      )
    })
  },
)

conformance(
  'prices and products are found by their fields',
  `${DOCS}#query-fields-for-prices: active, currency, lookup_key, metadata, product, type; #query-fields-for-products: active, description, metadata, name, shippable, url`,
  async ({ stripe, unique, eventually }) => {
    const name = unique('Tokens')
    const product = await stripe.products.create({ name, url: 'https://example.com', shippable: false })
    const price = await stripe.prices.create({ product: product.id, currency: 'eur', unit_amount: 1, lookup_key: name })

    await eventually(async () => {
      const products = await stripe.products.search({ query: `name~"${name.slice(2)}" AND active:"true"` })
      assert.deepEqual(
        products.data.map(({ id }) => id),
        [product.id],
      )
      const prices = await stripe.prices.search({ query: `product:"${product.id}" currency:"EUR" type:"one_time"` })
      assert.deepEqual(
        prices.data.map(({ id }) => id),
        [price.id],
      )
      assert.equal((await stripe.prices.search({ query: `lookup_key:"${name}"` })).data.length, 1)
      assert.equal((await stripe.prices.search({ query: `lookup_key:"${name}" AND active:"false"` })).data.length, 0)
    })
  },
)

conformance(
  'subscriptions, invoices, charges and payment intents are found, too',
  `${DOCS}: "Some top level API resources support retrieval with search API methods."`,
  async ({ stripe, unique, eventually }) => {
    const mark = unique('mark')
    const { id: customer } = await stripe.customers.create({ payment_method: 'pm_card_visa' })
    const [card] = (await stripe.customers.listPaymentMethods(customer)).data
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat' },
    })
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: price.id }],
      default_payment_method: card!.id,
      metadata: { mark },
    })

    await eventually(async () => {
      const found = await stripe.subscriptions.search({ query: `status:"active" metadata["mark"]:"${mark}"` })
      assert.deepEqual(
        found.data.map(({ id }) => id),
        [subscription.id],
      )
      const invoices = await stripe.invoices.search({ query: `subscription:"${subscription.id}" AND total>999` })
      assert.equal(invoices.data.length, 1)
      assert.equal((await stripe.invoices.search({ query: `customer:"${customer}" AND total>1000` })).data.length, 0)
      assert.equal((await stripe.paymentIntents.search({ query: `customer:"${customer}" amount:1000` })).data.length, 1)
      const charges = await stripe.charges.search({
        query: `customer:"${customer}" AND payment_method_details.card.last4:4242`,
      })
      assert.equal(charges.data.length, 1)
    })
  },
)

conformance(
  'pages follow next_page to the end',
  'stripe CustomerSearchParams.page: "A cursor for pagination across multiple pages of results. Don\'t include this parameter on the first call. Use the next_page value returned in a previous response to request subsequent results."',
  async ({ stripe, unique, eventually }) => {
    const mark = unique('mark')
    const ids = new Set<string>()
    for (let count = 0; count < 5; count += 1) ids.add((await stripe.customers.create({ metadata: { mark } })).id)
    const query = `metadata["mark"]:"${mark}"`

    await eventually(async () => {
      const first = await stripe.customers.search({ query, limit: 2 })
      assert.deepEqual([first.object, first.data.length, first.has_more], ['search_result', 2, true])
      const all = await stripe.customers.search({ query, limit: 2 }).autoPagingToArray({ limit: 100 })
      assert.deepEqual(new Set(all.map(({ id }) => id)), ids)
      assert.equal(all.length, 5)
    })
    const { data } = await stripe.customers.search({ query, limit: 5 })
    assert.equal(data.length, 5)
  },
)

conformance(
  'what is no query is refused',
  'observed: the two refusals of GET /v1/products/search and /v1/prices/search',
  async ({ stripe }) => {
    await assert.rejects(
      stripe.products.search({ query: 'asdf' }),
      refusal({ type: 'invalid_request_error', message: /^We were unable to parse your search query\./ }),
    )
    await assert.rejects(
      stripe.prices.search({ query: 'foo:"bar"' }),
      refusal({ message: /^Field `foo` is an unsupported search field for resource `prices`\./ }),
    )
    await assert.rejects(
      stripe.customers.search({ query: 'email:"a@example.com" AND name:"a" OR name:"b"' }),
      refusal({ type: 'invalid_request_error' }),
    )
  },
)
