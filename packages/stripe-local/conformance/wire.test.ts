import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { header } from './header.ts'
import { refusal } from './refusal.ts'

const ERRORS = 'docs.stripe.com/error-codes'

conformance(
  'without a valid key nothing is answered',
  'docs.stripe.com/api/errors: 401 Unauthorized: "No valid API key provided."; observed: "Invalid API Key provided: sk_test_****1234"',
  async ({ stripe }) => {
    await assert.rejects(stripe.customers.list({}, { apiKey: 'sk_test_00000000000000001234' }), (error) => {
      assert(error instanceof Stripe.errors.StripeAuthenticationError)
      return refusal({
        status: 401,
        type: 'invalid_request_error',
        message: /^Invalid API Key provided: sk_test_\*+1234$/,
      })(error)
    })
  },
)

conformance(
  'an address Stripe does not have is not found',
  'observed: "Unrecognized request URL (GET: /v1/foo). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."',
  async ({ stripe }) => {
    await assert.rejects(
      stripe.rawRequest('GET', '/v1/foo'),
      refusal({
        status: 404,
        type: 'invalid_request_error',
        message:
          'Unrecognized request URL (GET: /v1/foo). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.',
      }),
    )
  },
)

conformance(
  'what a path names must exist, and what a parameter names, too',
  `${ERRORS}: resource_missing: "The ID provided is not valid. Either the resource does not exist, or an ID for a different resource has been provided."`,
  async ({ stripe }) => {
    await assert.rejects(
      stripe.customers.retrieve('cus_nope'),
      refusal({ status: 404, code: 'resource_missing', param: 'id', message: "No such customer: 'cus_nope'" }),
    )
    await assert.rejects(
      stripe.subscriptions.create({ customer: 'cus_nope', items: [{ price: 'price_nope' }] }),
      refusal({ status: 400, code: 'resource_missing', param: 'customer', message: "No such customer: 'cus_nope'" }),
    )
    await assert.rejects(
      stripe.customers.list({ starting_after: 'cus_nope' }),
      refusal({ status: 400, code: 'resource_missing', param: 'starting_after' }),
    )
  },
)

conformance(
  'unknown parameters are refused, whatever else is there',
  `${ERRORS}: parameter_unknown: "The request contains one or more unexpected parameters. Remove these and try again."`,
  async ({ stripe }) => {
    await assert.rejects(
      stripe.customers.create({ emial: 'a@example.com' } as Stripe.CustomerCreateParams),
      refusal({ code: 'parameter_unknown', param: 'emial', message: /^Received unknown parameter: emial/ }),
    )
    await assert.rejects(
      stripe.customers.create({ a: 1, b: 2 } as Stripe.CustomerCreateParams),
      refusal({ code: 'parameter_unknown', message: /^Received unknown parameters: a, b/ }),
    )
    await assert.rejects(
      stripe.prices.create({
        currency: 'usd',
        unit_amount: 1,
        product_data: { name: 'x', nmae: 'y' } as Stripe.PriceCreateParams.ProductData,
      }),
      refusal({ code: 'parameter_unknown', param: 'product_data[nmae]' }),
    )
  },
)

conformance(
  'required parameters are missed, empty ones are not values',
  `${ERRORS}: parameter_missing: "One or more required values are missing."; parameter_invalid_empty: "One or more required values were not provided."`,
  async ({ stripe }) => {
    await assert.rejects(
      stripe.products.create({ active: true } as Stripe.ProductCreateParams),
      refusal({ code: 'parameter_missing', param: 'name', message: 'Missing required param: name.' }),
    )
    await assert.rejects(
      stripe.prices.create({
        currency: 'usd',
        billing_scheme: 'tiered',
        tiers_mode: 'volume',
        tiers: [{ unit_amount: 1 } as Stripe.PriceCreateParams.Tier],
        recurring: { interval: 'month' },
        product_data: { name: 'Tiered' },
      }),
      refusal({
        code: 'parameter_missing',
        param: 'tiers[0][up_to]',
        message: 'Missing required param: tiers[0][up_to].',
      }),
    )
    await assert.rejects(
      stripe.products.create({ name: '' }),
      refusal({ code: 'parameter_invalid_empty', param: 'name', message: /^You passed an empty string for 'name'\./ }),
    )
  },
)

conformance(
  'values are of their kind and within their bounds',
  `${ERRORS}: parameter_invalid_integer: "One or more of the parameters requires an integer, but the values provided were a different type."`,
  async ({ stripe }) => {
    await assert.rejects(
      stripe.customers.create({ balance: 'abc' as unknown as number }),
      refusal({ code: 'parameter_invalid_integer', param: 'balance', message: 'Invalid integer: abc' }),
    )
    await assert.rejects(
      stripe.customers.list({ limit: 101 }),
      refusal({
        param: 'limit',
        message: "This value must be less than or equal to 100 (it currently is '101').",
      }),
    )
    await assert.rejects(
      stripe.customers.list({ limit: 0 }),
      refusal({ param: 'limit', message: 'This value must be greater than or equal to 1.' }),
    )
    await assert.rejects(
      stripe.prices.create({
        currency: 'usd',
        unit_amount: 1,
        product_data: { name: 'x' },
        recurring: { interval: 'fortnight' as 'month' },
      }),
      refusal({
        param: 'recurring[interval]',
        message: 'Invalid interval: must be one of day, month, week, or year',
      }),
    )
  },
)

conformance(
  'lists go both ways, newest first, and say whether there is more',
  'docs.stripe.com/api/pagination: "All top-level API resources have support for bulk fetches through \\"list\\" API methods. … These list API methods share a common structure and accept, at a minimum, the following three parameters: limit, starting_after, and ending_before."',
  async ({ stripe, unique }) => {
    const url = `https://example.com/${unique('page')}`
    const ids: string[] = []
    for (let count = 0; count < 5; count += 1) ids.unshift((await stripe.products.create({ name: 'x', url })).id)
    const page = async (params: Stripe.ProductListParams) => {
      const { data, has_more: more, object, url: address } = await stripe.products.list({ url, ...params })
      assert.deepEqual([object, address], ['list', '/v1/products'])
      return [data.map(({ id }) => id), more]
    }

    assert.deepEqual(await page({ limit: 2 }), [ids.slice(0, 2), true])
    assert.deepEqual(await page({ limit: 3, starting_after: ids[1]! }), [ids.slice(2), false])
    assert.deepEqual(await page({ limit: 2, ending_before: ids[3]! }), [ids.slice(1, 3), true])
    assert.deepEqual(await page({ limit: 2, ending_before: ids[2]! }), [ids.slice(0, 2), false])
    const all = await stripe.products.list({ url, limit: 2 }).autoPagingToArray({ limit: 100 })
    assert.deepEqual(
      all.map(({ id }) => id),
      ids,
    )
    const backwards: string[] = []
    for await (const { id } of stripe.products.list({ url, limit: 2, ending_before: ids[4]! })) backwards.push(id)
    assert.deepEqual(backwards, ids.slice(0, 4).toReversed())
  },
)

conformance(
  'ids are expanded to objects, through lists, to four levels',
  'docs.stripe.com/api/expanding_objects: "You can expand recursively by specifying nested fields after a dot (.). … Expansions have a maximum depth of four levels."',
  async ({ stripe }) => {
    const { id: customer } = await stripe.customers.create({ payment_method: 'pm_card_visa' })
    const [card] = (await stripe.customers.listPaymentMethods(customer)).data
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: card!.id } })
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat' },
    })

    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: price.id }],
      expand: ['customer.invoice_settings.default_payment_method', 'items.data.price.product', 'latest_invoice'],
    })

    const payer = subscription.customer as Stripe.Customer
    assert.equal((payer.invoice_settings.default_payment_method as Stripe.PaymentMethod).card!.last4, '4242')
    assert.equal((subscription.items.data[0]!.price.product as Stripe.Product).name, 'Flat')
    assert.equal((subscription.latest_invoice as Stripe.Invoice).total, 1000)
    const listed = await stripe.subscriptions.list({ customer, expand: ['data.customer'] })
    assert.equal((listed.data[0]!.customer as Stripe.Customer).id, customer)
    await assert.rejects(
      stripe.subscriptions.list({ customer, expand: ['data.items.data.price.product'] }),
      refusal({ type: 'invalid_request_error' }),
    )
  },
)

conformance(
  'what is no reference cannot be expanded',
  'observed: "This property cannot be expanded (application)." and "This property cannot be expanded because it doesn\'t exist: aplication."',
  async ({ stripe }) => {
    const { id } = await stripe.customers.create({ email: 'a@example.com' })
    const expanding = (path: string) => stripe.customers.retrieve(id, { expand: [path] })

    for (const own of ['email', 'metadata', 'invoice_settings'])
      await assert.rejects(expanding(own), refusal({ message: `This property cannot be expanded (${own}).` }), own)
    for (const absent of ['emial', 'constructor', '__proto__'])
      await assert.rejects(
        expanding(absent),
        refusal({ message: new RegExp(`^This property cannot be expanded because it doesn't exist: ${absent}\\.`) }),
        absent,
      )
  },
)

conformance(
  'metadata merges, empty values remove, the limits hold',
  'docs.stripe.com/metadata: "key: 40-character limit. Square brackets can\'t be included in keys. value: 500-character limit"; "You can add 50 total key-value pairs"',
  async ({ stripe }) => {
    const { id } = await stripe.customers.create({ metadata: { a: '1', b: '2', count: 3 } })
    const metadataAfter = async (metadata: Stripe.Emptyable<Stripe.MetadataParam>) => ({
      ...(await stripe.customers.update(id, { metadata })).metadata,
    })

    assert.deepEqual(await metadataAfter({ b: '', c: '4' }), { a: '1', count: '3', c: '4' })
    assert.deepEqual(await metadataAfter(''), {})
    for (const metadata of [
      { ['k'.repeat(41)]: 'x' },
      { k: 'x'.repeat(501) },
      Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`key${index}`, 'x'])),
    ]) {
      await assert.rejects(stripe.customers.update(id, { metadata }), refusal({ type: 'invalid_request_error' }))
    }
    await metadataAfter({ ['k'.repeat(40)]: 'x'.repeat(500) })
  },
)

conformance(
  'a key replays the first answer and refuses another request',
  'docs.stripe.com/api/idempotent_requests: "we save the resulting status code and body of the first request made for any given idempotency key, regardless of whether it succeeds or fails"',
  async ({ stripe, unique }) => {
    const idempotencyKey = unique('key')
    const first = await stripe.customers.create({ name: 'Once' }, { idempotencyKey })

    const again = await stripe.customers.create({ name: 'Once' }, { idempotencyKey })

    assert.equal(again.id, first.id)
    assert.equal(header(again, 'idempotent-replayed'), 'true')
    assert.equal(header(again, 'idempotency-key'), idempotencyKey)
    await assert.rejects(
      stripe.customers.create({ name: 'Twice' }, { idempotencyKey }),
      refusal({
        status: 400,
        type: 'idempotency_error',
        code: undefined,
        message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${idempotencyKey}' if you meant to execute a different request.`,
      }),
    )
  },
)

conformance(
  'a key keeps a refusal that came from work, not one from validation',
  'docs.stripe.com/api/idempotent_requests: "We save results only after the execution of an endpoint begins. If incoming parameters fail validation, or the request conflicts with another request that\'s executing concurrently, we don\'t save the idempotent result"',
  async ({ stripe, unique }) => {
    const kept = unique('key')
    const meter = unique('later')
    const create = () =>
      stripe.billing.meterEvents.create(
        { event_name: meter, payload: { stripe_customer_id: 'cus_x', value: '1' } },
        { idempotencyKey: kept },
      )
    await assert.rejects(create(), refusal({ message: /^No active meter found/ }))
    await stripe.billing.meters.create({
      display_name: 'Later',
      event_name: meter,
      default_aggregation: { formula: 'sum' },
    })
    await assert.rejects(create(), refusal({ message: /^No active meter found/ }))

    const free = unique('key')
    await assert.rejects(
      stripe.products.create({ nmae: 'x' } as unknown as Stripe.ProductCreateParams, { idempotencyKey: free }),
      refusal({ code: 'parameter_unknown' }),
    )
    assert.equal((await stripe.products.create({ name: 'x' }, { idempotencyKey: free })).name, 'x')
  },
)

conformance(
  'every answer has a request id and the version it is written in',
  'docs.stripe.com/api/request_ids: "Each API request has an associated request identifier. You can find this value in the response headers, under Request-Id."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()

    assert.match(customer.lastResponse.requestId, /^req_/)
    assert.equal(header(customer, 'request-id'), customer.lastResponse.requestId)
    assert.equal(header(customer, 'stripe-version'), '2026-10-28.endive')
  },
)

conformance(
  'objects of test mode say so',
  'stripe Customer.livemode: "If the object exists in live mode, the value is `true`. If the object exists in test mode, the value is `false`."',
  async ({ stripe }) => {
    assert.equal((await stripe.customers.create()).livemode, false)
  },
)
