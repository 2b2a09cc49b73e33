import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance } from './conformance.ts'

conformance(
  'a VAT number of a customer names its country and waits for its verification',
  'docs.stripe.com/api/tax_ids/customer_create, the answer shown: country "DE", verification.status "pending"',
  async ({ stripe }) => {
    const { id: customer } = await stripe.customers.create({})

    const made = await stripe.customers.createTaxId(customer, { type: 'eu_vat', value: 'DE123456789' })

    assert.match(made.id, /^txi_/)
    assert.equal(made.country, 'DE')
    assert.equal(made.customer, customer)
    assert.equal(made.owner?.type, 'customer')
    assert.equal(made.owner?.customer, customer)
    assert.deepEqual(made.verification, { status: 'pending', verified_address: null, verified_name: null })
    assert.equal((await stripe.taxIds.retrieve(made.id)).value, 'DE123456789')
    assert.equal((await stripe.customers.retrieveTaxId(customer, made.id)).id, made.id)
  },
)

conformance(
  "a customer's tax IDs are listed newest first, until they are deleted",
  'docs.stripe.com/api/tax_ids/customer_list: "Returns a list of tax IDs for a customer."; delete: "If the tax_id object does not exist, this call raises an error."',
  async ({ stripe }) => {
    const { id: customer } = await stripe.customers.create({})
    const vat = await stripe.customers.createTaxId(customer, { type: 'eu_vat', value: 'FRAB123456789' })
    const ein = await stripe.taxIds.create({
      type: 'us_ein',
      value: '12-3456789',
      owner: { type: 'customer', customer },
    })
    const ids = async () => (await stripe.customers.listTaxIds(customer)).data.map(({ id }) => id)
    assert.deepEqual(await ids(), [ein.id, vat.id])
    const { data } = await stripe.taxIds.list({ owner: { type: 'customer', customer } })
    assert.deepEqual(
      data.map(({ id }) => id),
      [ein.id, vat.id],
    )

    assert.deepEqual(
      { ...(await stripe.customers.deleteTaxId(customer, ein.id)) },
      {
        id: ein.id,
        object: 'tax_id',
        deleted: true,
      },
    )

    assert.deepEqual(await ids(), [vat.id])
    await assert.rejects(stripe.taxIds.del(ein.id), { statusCode: 404, code: 'resource_missing' })
  },
)

conformance(
  'without an owner a tax ID belongs to the account, and lists without one leave customers out',
  'stripe TaxIdListParams.owner: "The account or customer the tax ID belongs to. Defaults to `owner[type]=self`."',
  async ({ stripe }, t) => {
    const { id: customer } = await stripe.customers.create({})
    const theirs = await stripe.customers.createTaxId(customer, { type: 'eu_vat', value: 'DE123456789' })
    const ours = await stripe.taxIds.create({ type: 'eu_vat', value: 'DE987654321' })
    t.after(() => stripe.taxIds.del(ours.id).catch(() => {}))

    const { data } = await stripe.taxIds.list({ limit: 100 })

    assert.equal(ours.customer, null)
    assert.equal(ours.owner?.type, 'self')
    assert(data.some(({ id }) => id === ours.id))
    assert(data.every(({ id }) => id !== theirs.id))
  },
)

conformance(
  'a VAT number that cannot be one is refused',
  'docs.stripe.com/tax/custom, "tax_id_invalid": `"message": "Invalid value for eu_vat."`; observed: the same at customers/:id/tax_ids for "DE123"',
  async ({ stripe }) => {
    const { id: customer } = await stripe.customers.create({})

    await assert.rejects(stripe.customers.createTaxId(customer, { type: 'eu_vat', value: 'DE123' }), (error) => {
      assert(error instanceof Stripe.errors.StripeInvalidRequestError)
      assert.equal(error.code, 'tax_id_invalid')
      assert.equal(error.message, 'Invalid value for eu_vat.')
      return true
    })
  },
)

conformance(
  'a tax ID made or deleted is told',
  'stripe Events: CustomerTaxIdCreatedEvent "Occurs whenever a tax ID is created for a customer." and CustomerTaxIdDeletedEvent',
  async ({ stripe, eventually }) => {
    const { id: customer } = await stripe.customers.create({})
    const { id } = await stripe.customers.createTaxId(customer, { type: 'gb_vat', value: 'GB123456789' })
    await stripe.customers.deleteTaxId(customer, id)

    await eventually(async () => {
      const { data } = await stripe.events.list({ types: ['customer.tax_id.created', 'customer.tax_id.deleted'] })
      const told = data.filter((event) => (event.data.object as Stripe.TaxId).id === id).map(({ type }) => type)
      assert.deepEqual(told.toSorted(), ['customer.tax_id.created', 'customer.tax_id.deleted'])
    })
  },
)
