import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import { visitors } from '../../test/visitor.ts'
import { world } from '../../test/world.ts'

const test = visitors()
const PHONE = { width: 390, height: 844 }
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Final invoices of a customer with a good card. */
async function sender(t: TestContext) {
  const { local, stripe } = await world(t, '2026-11-24T12:00:00Z')
  const customer = await stripe.customers.create({ name: 'Łukasz Żółć', email: 'lukasz@example.com' })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } })
  const draft = async (currency: string, amounts: number[]) => {
    const { id } = await stripe.invoices.create({ customer: customer.id, currency, auto_advance: false })
    for (const [index, amount] of amounts.entries())
      await stripe.invoiceItems.create({
        customer: customer.id,
        invoice: id!,
        currency,
        amount,
        description: `Item ${index + 1}`,
      })
    return id!
  }
  const open = async (currency: string, amounts: number[]) => {
    const { id } = await stripe.invoices.finalizeInvoice(await draft(currency, amounts))
    return id!
  }
  return { local, stripe, customer, draft, open }
}

test('an open invoice is paid with the card on file', async (visit, t) => {
  const { local, stripe, open } = await sender(t)
  const id = await open('usd', [1500, 250])
  const page = await visit()
  await page.goto(`${local.url}/i/${id}`)
  await page.getByText('$17.50').first().waitFor()
  await page.getByRole('button', { name: 'Pay invoice' }).click()
  await page.getByText('This invoice is paid.').waitFor()
  assert.equal((await stripe.invoices.retrieve(id)).status, 'paid')
})

test('another card is typed, refused, and then passes the bank’s question', async (visit, t) => {
  const { local, stripe, open } = await sender(t)
  const id = await open('usd', [1500])
  const page = await visit({ viewport: PHONE })
  await page.goto(`${local.url}/i/${id}`)
  await page.getByText('Pay with another card').click()
  await page.getByRole('button', { name: 'Is declined' }).click()
  await page.getByRole('button', { name: 'Pay with this card' }).click()
  await page.getByRole('alert').getByText('Your card was declined.').waitFor()
  await page.getByRole('button', { name: 'Asks for authentication' }).click()
  await page.getByRole('button', { name: 'Pay with this card' }).click()
  await page.getByRole('button', { name: 'Complete authentication' }).click()
  await page.getByText('This invoice is paid.').waitFor()
  assert.equal((await stripe.invoices.retrieve(id)).status, 'paid')
})

test('each state says what it means, in the invoice’s own currency', async (visit, t) => {
  const { local, stripe, draft, open } = await sender(t)
  const cases: [id: string, said: string, total: string][] = [
    [await draft('usd', [1]), 'This is a draft', '$0.01'],
    [(await stripe.invoices.voidInvoice(await open('jpy', [5000]))).id!, 'was voided', '¥5,000'],
    [(await stripe.invoices.markUncollectible(await open('kwd', [12340]))).id!, 'uncollectible', 'KWD 12.340'],
  ]
  const page = await visit()
  for (const [id, said, total] of cases) {
    await page.goto(`${local.url}/i/${id}`)
    await page.getByText(said).first().waitFor()
    assert.match(
      (await page.getByRole('row', { name: /^Total/ }).textContent())?.replace(/\s/g, ' ') ?? '',
      new RegExp(total.replace(/[$.]/g, '\\$&')),
    )
    assert.equal(await page.getByRole('button', { name: 'Pay invoice' }).count(), 0, said)
  }
})

test('a long invoice fits a phone, has no fault that axe knows, and many pages of PDF', async (visit, t) => {
  const { local, open } = await sender(t)
  const id = await open(
    'eur',
    Array.from({ length: 60 }, (_, index) => 100 + index),
  )
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await visit({ colorScheme, viewport: PHONE })
    await page.goto(`${local.url}/i/${id}`)
    await page.evaluate(AXE)
    const faults = await page.evaluate(
      'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))',
    )
    assert.deepEqual(faults, [], colorScheme)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width)
  }
  const file = Buffer.from(await (await fetch(`${local.url}/i/${id}/pdf`)).arrayBuffer()).toString('latin1')
  // Above 740 points fit 22 lines of 23 points on the first page and 28 on each further one: 22 + 28 + 10.
  assert.equal(file.match(/\/Count (\d+)/)?.[1], '3')
  assert.ok(file.includes('page 3 of 3'))
})
