import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSlug, slugOf } from './organizations.ts'

test('a name becomes a short name in plain letters', () => {
  const cases: [name: string, slug: string][] = [
    ['Café Müller & Co', 'cafe-muller-co'],
    ['Łódź Labs', 'lodz-labs'],
    ['SMØRREBRØD', 'smorrebrod'],
    ['Straße Nr. 7', 'strasse-nr-7'],
    ['Œuvre Æon', 'oeuvre-aeon'],
    ['İstanbul Işık', 'istanbul-isik'],
    ['  – ', ''],
    ['日本', ''],
  ]
  for (const [name, slug] of cases) assert.equal(slugOf(name), slug, name)
  assert.ok(isSlug(slugOf(`${'a'.repeat(47)} and more`)))
})
