import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { database } from '../../test/database.ts'
import { isTransient, withConnection } from './database.ts'

/** Messages of PostgreSQL's protocol. @see https://www.postgresql.org/docs/18/protocol-message-formats.html */
function message(type: string, body: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + Buffer.byteLength(body))
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
}
const WELCOME = Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I')])
const FAREWELL = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0')

/** A PostgreSQL that is killed while it greets. */
async function dyingServer(t: TestContext): Promise<pg.Pool> {
  const server = createServer((socket) => socket.once('data', () => socket.end(Buffer.concat([WELCOME, FAREWELL]))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'nobody', database: 'none' })
  pool.on('error', () => {})
  t.after(async () => {
    await pool.end()
    server.close()
  })
  return pool
}

test('a server that dies while it greets costs the caller a connection, not the process', async (t) => {
  const pool = await dyingServer(t)

  await assert.rejects(withConnection(pool, (client) => client.query('select 1')))
})

test('trying again may help where the connection or the server failed, and not where the statement is wrong', async (t) => {
  const pool = await database(t)
  const errorOf = (text: string) =>
    pool.query(text).then(
      () => assert.fail('it was answered'),
      (error: Error) => error,
    )

  assert.equal(isTransient(await errorOf("select 'no number'::int")), false)
  assert.equal(isTransient(await errorOf('select 1 / 0')), false)
  assert.equal(isTransient(await errorOf('select pg_terminate_backend(pg_backend_pid())')), true)
  // of a socket the other end has closed; its code has the form of PostgreSQL's
  assert.equal(isTransient(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })), true)
})
