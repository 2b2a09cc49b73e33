import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { essential, world } from '../../test/world.ts'
import { writePdf } from './pdf.ts'

const START = new Date('2026-11-01T00:00:00Z')
const END = new Date('2026-12-01T00:00:00Z')
const FINAL = new Date('2026-12-01T02:00:00Z')

/** A month of usage, invoiced and charged. */
async function invoiced(t: TestContext, tokens: string, cardToken = 'pm_card_visa') {
  const { local, stripe } = await world(t, START.toISOString())
  const { price, customer, use } = await essential(stripe, local)
  const card = await stripe.paymentMethods.attach(cardToken, { customer: customer.id })
  await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    default_payment_method: card.id,
  })
  await use(tokens, START)
  await local.advance(END)
  const draft = (await stripe.invoices.list({ customer: customer.id })).data[0]!
  const draftPage = await (await fetch(`${local.url}/i/${draft.id}`)).text()
  await local.advance(FINAL)
  const invoice = await stripe.invoices.retrieve(draft.id!)
  return {
    local,
    stripe,
    invoice,
    draftPage,
    page: async () => await (await fetch(invoice.hosted_invoice_url!)).text(),
  }
}

test('a paid invoice lists its lines and sums; packages are priced as packages', async (t) => {
  const { page, draftPage } = await invoiced(t, '1234567')
  assert.match(draftPage, /This is a draft: its amounts may still change/)

  const paid = await page()
  assert.match(paid, /data-label="Quantity">1,234,567</)
  assert.match(paid, /data-label="Unit price">\$0\.05 per 1,000 units</)
  assert.match(paid, /data-label="Amount">\$61\.75</) // 1,235 packages begun × $0.05
  assert.match(paid, /Nov 1, 2026 – Dec 1, 2026/)
  assert.match(paid, /Amount paid<\/th><td class="number">\$61\.75/)
  assert.ok(!paid.includes('Pay invoice'))
})

test('an amount below the minimum charge is shown as carried over', async (t) => {
  const { page } = await invoiced(t, '1000')
  assert.match(
    await page(),
    /Carried to the next invoice<\/th><td class="number">-\$0\.05[\s\S]*Amount due<\/th><td class="number">\$0\.00/,
  )
})

test('an open invoice is paid with another card when the one on file fails', async (t) => {
  const { local, stripe, invoice, page } = await invoiced(t, '1234567', 'pm_card_chargeCustomerFail')
  assert.equal(invoice.status, 'open')
  assert.match(await page(), /\$61\.75<\/span> <span class="muted">to pay/)
  const post = (form: { [field: string]: string }) =>
    fetch(`${local.url}/i/${invoice.id}/pay`, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })

  const again = await post({})
  assert.equal(again.status, 422)
  assert.match(await again.text(), /role="alert"[\s\S]*Your card was declined/)

  const paid = await post({ number: '4242 4242 4242 4242', expiry: '12 / 34', cvc: '123' })
  assert.equal(paid.status, 303)
  assert.equal((await stripe.invoices.retrieve(invoice.id!)).status, 'paid')
})

test('the PDF holds the lines, and its table points at its objects', async (t) => {
  const { invoice } = await invoiced(t, '1234567')
  const answer = await fetch(invoice.invoice_pdf!)
  assert.equal(answer.headers.get('content-type'), 'application/pdf')
  const file = Buffer.from(await answer.arrayBuffer()).toString('latin1')

  assert.ok(file.startsWith('%PDF-1.4'))
  assert.ok(file.includes(`(${invoice.number}) Tj`) && file.includes('($61.75)'))
  assertWellFormed(file)
})

test('a PDF survives brackets, backslashes and accents, and writes names of all of Europe and East Asia', () => {
  const pages = [[{ x: 10, y: 20, text: 'a (b) \\ é € 漢' }], [{ x: 10, y: 20, text: 'two' }]]
  const file = Buffer.from(writePdf('T', pages)).toString('latin1')
  assert.ok(file.includes('(a \\(b\\) \\\\ \xe9 \x80 ) Tj /china 10 Tf <6F22> Tj'))
  assert.ok(file.includes('/Count 2'))
  // ł and ż get the first two bytes, space and exclamation mark, of a second encoding.
  const poland = Buffer.from(
    writePdf('T', [
      [
        { x: 10, y: 20, text: 'łoż' },
        { x: 10, y: 40, text: 'かな漢字 Ω' },
      ],
    ]),
  ).toString('latin1')
  assert.ok(poland.includes('/Differences [32 /lslash /zdotaccent]'))
  assert.ok(poland.includes('/F3 10 Tf ( ) Tj /F1 10 Tf (o) Tj /F3 10 Tf (!) Tj'))
  assert.ok(poland.includes('/japan 10 Tf <304B306A6F225B57> Tj'))
  assertWellFormed(poland)
  assertWellFormed(file)
})

/** Every entry of the table must be the byte where that object begins, and every stream as long as it says. */
function assertWellFormed(file: string): void {
  const start = Number(file.match(/startxref\n(\d+)\n%%EOF\n$/)?.[1])
  assert.ok(file.startsWith('xref\n', start))
  const rows = [...file.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map(([, offset]) => Number(offset))
  assert.ok(rows.length > 5)
  for (const [index, offset] of rows.entries()) assert.ok(file.startsWith(`${index + 1} 0 obj\n`, offset))
  for (const [, length, content] of file.matchAll(/\/Length (\d+) >>\nstream\n([\s\S]*?)\nendstream/g))
    assert.equal(content?.length, Number(length))
}
