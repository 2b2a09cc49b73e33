import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { startTestApp } from './testing.ts'

interface Span {
  name: string
  traceId: string
  spanId: string
  parentSpanId?: string
  attributes: { key: string; value: { stringValue?: string } }[]
}

/** A collector of one test: takes OTLP as JSON over HTTP. */
async function collector(t: { after: (release: () => unknown) => void }) {
  const spans: Span[] = []
  const services = new Set<string>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    const { resourceSpans } = JSON.parse(text.toString()) as {
      resourceSpans: { resource: { attributes: Span['attributes'] }; scopeSpans: { spans: Span[] }[] }[]
    }
    for (const { resource, scopeSpans } of resourceSpans) {
      services.add(attribute(resource, 'service.name') ?? '')
      for (const scope of scopeSpans) spans.push(...scope.spans)
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, spans, services }
}

function attribute({ attributes }: Pick<Span, 'attributes'>, name: string): string | undefined {
  return attributes.find(({ key }) => key === name)?.value.stringValue
}

test('a collector hears of requests, batches, syncs, reports and calls of Stripe, with their ids and no secret', async (t) => {
  const { url, spans, services } = await collector(t)
  const app = await startTestApp(t, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SERVICE_NAME: 'meterkit-test' })
  const { meterkit, pool, stripe, stripeLocal } = app.services
  const customer = await meterkit.customers.ensure({ source: 'organization', sourceId: 'x', name: 'X', email: null })
  const { id: stripeId } = await stripe.customers.create({ name: 'X' })
  await pool.query('update billing.customers set stripe_id = $2 where id = $1', [customer.id, stripeId])
  const subscriptionId = '0193a5b0-0000-7000-8000-000000000001'
  await pool.query(
    `insert into billing.subscriptions (customer_id, id, stripe_id, status, items, started_at, cancel_at_period_end)
     values ($1, $2, 'sub_x', 'active', '[]', '2020-01-01', false)`,
    [customer.id, subscriptionId],
  )
  await pool.query(
    `insert into billing.segments (customer_id, subscription_id, starts_at, kind, items)
     values ($1, $2, '2020-01-01', 'billable', '[]')`,
    [customer.id, subscriptionId],
  )
  await meterkit.subscriptions.ofCustomer(customer.id)
  meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId, quantity: 5 })
  const { accepted } = await meterkit.reports.sync()
  assert.equal(accepted, 1)
  const [report] = (await meterkit.reports.list()).rows
  await pool.query(
    `insert into billing.webhooks (id, type, payload, body, received_at) values ('evt_1', 'customer.created', 'snapshot', '{}', now())`,
  )
  await meterkit.webhooks.process('evt_1')
  await app.ask('/login')
  await app.stop()

  const named = (name: string) => spans.filter((span) => span.name === name)
  assert.deepEqual([...services], ['meterkit-test'])
  for (const name of ['meterkit record flush', 'meterkit ingest', 'meterkit sync', 'meterkit report', 'GET /login'])
    assert.equal(named(name).length, 1, name)
  assert.equal(attribute(named('meterkit webhook').at(-1)!, 'meterkit.webhook'), 'evt_1')
  const [sent] = named('meterkit report')
  assert.equal(attribute(sent!, 'meterkit.report'), report!.id)
  assert.equal(attribute(sent!, 'meterkit.outcome'), 'accepted')
  assert.equal(sent!.parentSpanId, named('meterkit sync')[0]!.spanId)
  const call = named('Stripe call').find((span) => attribute(span, 'url.path') === '/v1/billing/meter_events')
  assert.match(attribute(call!, 'stripe.request_id') ?? '', /^req_/)
  assert.equal(call!.parentSpanId, sent!.spanId)
  assert.ok(!JSON.stringify(spans).includes(stripeLocal!.secretKey))
})
