import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indexSections, splitSections } from './documentation.ts'

const GUIDE = `# Meterkit

Charge for what is used.

## Recording events

Call \`recordEvent\` and go on.

\`\`\`sh
# not a heading
npm start
\`\`\`

### Idempotency

The same id counts once.

## Webhooks

Stripe posts them; each is verified on the raw body.
`

test('a document is cut at its headings, not inside code', () => {
  const sections = splitSections('docs/guide.md', GUIDE)
  assert.deepEqual(
    sections.map(({ path }) => path.join(' > ')),
    ['Meterkit', 'Meterkit > Recording events', 'Meterkit > Recording events > Idempotency', 'Meterkit > Webhooks'],
  )
  assert.match(sections[1]!.body, /# not a heading\nnpm start/)
})

test('a section is found by the words of its heading and its text, in any form', () => {
  const { search } = indexSections(splitSections('docs/guide.md', GUIDE))
  const best = (question: string) => search(question)[0]?.section.path.at(-1)
  assert.equal(best('How do I record an event?'), 'Recording events')
  assert.equal(best('is a webhook verified'), 'Webhooks')
  assert.equal(best('what if the same ids come'), 'Idempotency')
  assert.equal(best('weather in Paris'), undefined)
})

test('a heading that asks the very question comes before a text that has its words more often', () => {
  const { search } = indexSections([
    { file: 'a.md', path: ['What happens when the database is down?'], body: 'Stripe, Stripe, Stripe: unreachable.' },
    { file: 'a.md', path: ['What happens when Stripe is down?'], body: 'Usage waits in the database.' },
  ])
  assert.equal(search('what happens when Stripe is down')[0]?.section.path[0], 'What happens when Stripe is down?')
})

test('coverage tells how much of the question a section speaks of', () => {
  const { search } = indexSections(splitSections('docs/guide.md', GUIDE))
  assert.equal(search('raw body')[0]!.coverage, 1)
  assert.ok(search('raw cucumber salad recipes')[0]!.coverage < 0.45)
})
