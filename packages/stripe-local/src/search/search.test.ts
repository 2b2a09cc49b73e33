import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Database } from '../database.ts'
import { conditionOf } from './compile.ts'
import { SEARCHABLE } from './fields.ts'
import { parseQuery } from './query.ts'

test('a query is read into its clauses', () => {
  const { clauses, joinedBy } = parseQuery(`-name~"Jane \\"J\\" Doe" OR metadata['order id']:null or created>=17`)
  assert.equal(joinedBy, 'or')
  assert.deepEqual(clauses, [
    { field: 'name', key: null, operator: '~', value: 'Jane "J" Doe', isNegated: true },
    { field: 'metadata', key: 'order id', operator: ':', value: null, isNegated: false },
    { field: 'created', key: null, operator: '>=', value: '17', isNegated: false },
  ])
  assert.equal(parseQuery('name:"a" email:"b"').joinedBy, 'and')
})

test('what is no query is refused', () => {
  const unreadable = /We were unable to parse your search query\. Try using the format `metadata\["key"\]:"value"` to/
  for (const text of [
    'asdf',
    '',
    '  ',
    'name:',
    'name:jane',
    '"jane"',
    'name:"a"email:"b"',
    'name:"a',
    'AND name:"a"',
  ]) {
    assert.throws(() => parseQuery(text), unreadable, text)
  }
  assert.throws(() => parseQuery('name:"a" AND name:"b" OR name:"c"'), /cannot be combined/)
  assert.throws(() => parseQuery('name:"a" name:"b" OR name:"c"'), /cannot be combined/)
  assert.throws(() => parseQuery(Array.from({ length: 11 }, () => 'name:"a"').join(' ')), /at most 10/)
})

test('clauses find what they say', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('create table objects (id text, data text, email text)')
  const insert = db.prepare('insert into objects values (?, ?, ?)')
  const people = [
    { id: 'amy', email: 'Amy@rocketrides.io', name: 'Amy', created: 100, metadata: { plan: 'pro', 'a"b': 'x' } },
    { id: 'bob', email: 'bob@example.com', name: 'Bob Amyson', created: 200, metadata: { plan: 'free' } },
    { id: 'eve', email: null, name: null, created: 300, metadata: {} },
  ]
  for (const person of people) insert.run(person.id, JSON.stringify(person), person.email)
  const customers = SEARCHABLE.find(({ resource }) => resource === 'customers')!
  const found = (text: string) => {
    const { sql, values } = conditionOf(parseQuery(text), customers)
    const rows = db.prepare(`select id from objects where ${sql} order by id`).all(...values) as { id: string }[]
    return rows.map(({ id }) => id).join(' ')
  }

  const cases: [query: string, ids: string][] = [
    ['email:"amy@rocketrides.io"', 'amy'],
    ['name:"amy"', 'amy'], // exact, whatever the case
    ['name~"AMY"', 'amy bob'],
    ['-name:"Amy"', 'bob eve'], // who has no name does not match either
    ['name:null', 'eve'],
    ['-name:null', 'amy bob'],
    ['metadata["plan"]:"pro"', 'amy'],
    ['-metadata["plan"]:"pro"', 'bob eve'],
    ['metadata["plan"]:null', 'eve'],
    [`metadata['a"b']:"x"`, 'amy'],
    ['created>100', 'bob eve'],
    ['created>=100 AND created<"300"', 'amy bob'],
    ['created:200', 'bob'],
    ['name:"Amy" OR created<=100 or created>=300', 'amy eve'],
  ]
  for (const [query, ids] of cases) assert.equal(found(query), ids, query)

  assert.throws(() => found('foo:"bar"'), /Field `foo` is an unsupported search field for resource `customers`\. See/)
  assert.throws(() => found('created~"123"'), /Operator `~` is not supported/)
  assert.throws(() => found('name>"a"'), /Operator `>` is not supported/)
  assert.throws(() => found('name~"am"'), /at least 3 characters/)
})

test('a customer is found by email through an index', () => {
  const db = new Database(':memory:')
  const customers = SEARCHABLE.find(({ resource }) => resource === 'customers')!
  const { sql, values } = conditionOf(parseQuery('email:"amy@rocketrides.io" created>1'), customers)
  const plan = db.all<{ detail: string }>(
    `explain query plan select seq, data from objects where type = ? and ${sql} order by seq desc limit ?`,
    'customer',
    ...values,
    11,
  )
  assert.match(plan.map(({ detail }) => detail).join('; '), /USING INDEX objects_by_folded_email/)
  db.close()
})
