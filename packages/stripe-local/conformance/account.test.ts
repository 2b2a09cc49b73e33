import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'

conformance(
  'a key opens its own account, by that name or by its id',
  'stripe AccountResource.retrieveCurrent: "Retrieves the details of an account."',
  async ({ stripe }) => {
    const account = await stripe.accounts.retrieveCurrent()

    assert.equal(account.object, 'account')
    assert.equal(account.charges_enabled, true)
    assert.match(account.default_currency!, /^[a-z]{3}$/)
    assert.equal((await stripe.accounts.retrieve(account.id)).id, account.id)
  },
)
