import { type Attributes, type Span, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Stripe } from 'stripe'

/*
 * Spans for whoever installs an OpenTelemetry SDK; without one each is a no-op. Attributes carry ids, never secrets and
 * never what events contain.
 */
const tracer = trace.getTracer('meterkit')

/** Work as one span. Where it throws, so does this, and the span says so. */
export function traced<Result>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span)
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
      throw error
    } finally {
      span.end()
    }
  })
}

const heard = new WeakSet<Stripe>()

/** Each call of Stripe that was answered, as a span with its request id. Once per client. */
export function traceStripe(stripe: Stripe): void {
  if (heard.has(stripe)) return
  heard.add(stripe)
  stripe.on('response', (answer: Stripe.ResponseEvent) => {
    const { method, path, status, request_id, request_start_time, request_end_time } = answer
    const attributes = {
      'http.request.method': method,
      'url.path': path.split('?')[0]!,
      'http.response.status_code': status,
    }
    const span = tracer.startSpan('Stripe call', { attributes, startTime: request_start_time })
    if (request_id) span.setAttribute('stripe.request_id', request_id)
    if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(request_end_time)
  })
}
