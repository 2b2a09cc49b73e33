import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Poster } from './post.ts'

const never = new AbortController().signal

async function serve(t: TestContext, answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
}

test('the status and the first 4,000 characters of the answer', async (t) => {
  const poster = new Poster()
  t.after(() => poster.close())
  const url = await serve(t, (request, response) => {
    response.writeHead(302, { location: '/elsewhere' })
    request.on('end', () => response.end('ä'.repeat(5000))).resume()
  })
  const answer = await poster.post(url, {}, 'x', never)
  assert.deepEqual(answer, { answerStatus: 302, answerBody: 'ä'.repeat(4000), error: null })
})

test('an idle connection that the other side closes is replaced, and nothing is sent twice', async (t) => {
  const poster = new Poster()
  t.after(() => poster.close())
  const bodies: string[] = []
  const url = await serve(t, async (request, response) => {
    bodies.push((await Array.fromAsync(request as AsyncIterable<Buffer>)).join(''))
    // No `Connection: close`, so that the client believes it may be used again.
    response.end('ok', () => request.socket.destroySoon())
  })
  for (const body of ['1', '2', '3', '4']) assert.equal((await poster.post(url, {}, body, never)).answerStatus, 200)
  assert.deepEqual(bodies, ['1', '2', '3', '4'])
})

test('without an answer it says why', async (t) => {
  const poster = new Poster()
  t.after(() => poster.close())
  const refused = await poster.post('http://127.0.0.1:1/', {}, 'x', never)
  assert.equal(refused.error, 'connect ECONNREFUSED 127.0.0.1:1')
  const url = await serve(t, () => {})
  const closing = new AbortController()
  const hanging = poster.post(url, {}, 'x', closing.signal)
  closing.abort()
  assert.equal((await hanging).error, 'The operation was aborted')
  assert.match((await poster.post('nonsense', {}, 'x', never)).error ?? '', /Invalid URL/)
})
