import type { Stripe } from 'stripe'
import type { Database } from '../database/database.ts'
import { MeterkitError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { receiveWebhook } from './receive.ts'
import { getWebhook } from './store.ts'

const BODY_BYTES_MAX = 2 * 1024 * 1024
/** A draft's usage is flushed before we answer, because its hour runs from our answer; but no delivery may time out. */
const FLUSH_MS_MAX = 8_000

export interface HandlerContext {
  db: Database
  stripe: Stripe
  secrets: () => readonly string[]
  clock: () => Date
  log: Logger
  process: (id: string) => Promise<void>
  enqueue: (id: string) => Promise<void>
}

/** `POST …/webhooks/stripe`: 400 for what Stripe did not sign, 200 once it is stored; the rest is a job's. */
export async function handleRequest(context: HandlerContext, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (!pathname.endsWith('/webhooks/stripe')) return answer(404, `Meterkit has nothing at ${pathname}`)
  if (request.method !== 'POST') return answer(405, 'Stripe sends webhooks by POST')
  const body = await readBody(request)
  if (body === null) return answer(413, `a webhook has at most ${BODY_BYTES_MAX} bytes`)
  try {
    const signature = request.headers.get('stripe-signature')
    const { db, stripe, clock } = context
    const { id } = await receiveWebhook({ db, stripe, secrets: context.secrets(), now: clock() }, { body, signature })
    await start(context, id)
    return answer(200, 'received')
  } catch (error) {
    if (error instanceof MeterkitError && error.code === 'invalid_signature') {
      context.log.warn({ reason: error.message }, 'refused a webhook')
      return answer(400, error.message)
    }
    context.log.error({ error: (error as Error).message }, 'a webhook could not be stored; Stripe will send it again')
    return answer(500, 'could not be stored; send it again')
  }
}

/** Null for a body that is too large; it is not read to its end then, for nobody has vouched for it yet. */
async function readBody(request: Request): Promise<string | null> {
  if (Number(request.headers.get('content-length') ?? 0) > BODY_BYTES_MAX) return null
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Also for a delivery that comes again: the first may have been stored and not taken up. */
async function start({ db, process, enqueue, log }: HandlerContext, id: string): Promise<void> {
  const webhook = await getWebhook(db, id)
  if (!webhook || webhook.status === 'processed' || webhook.status === 'ignored') return
  await enqueue(id)
  if (webhook.type !== 'invoice.created') return
  const attempt = process(id).catch((error: Error) =>
    log.warn({ webhook: id, error: error.message }, 'the job tries again'),
  )
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_MS_MAX)
  })
  await Promise.race([attempt, patience])
  clearTimeout(timer)
}

function answer(status: number, message: string): Response {
  return Response.json({ message }, { status })
}
