import assert from 'node:assert/strict'
import { test } from 'node:test'
import { themeCookie, themeOf } from './theme-cookie.ts'

const withCookie = (cookie: string) => new Request('http://localhost/', { headers: { cookie } })

test('the chosen theme is read back from the cookie that remembered it', () => {
  const [pair = ''] = themeCookie('dark').split(';')
  assert.equal(themeOf(withCookie(`a=1; ${pair}; b=2`)), 'dark')
  assert.match(themeCookie('dark'), /Max-Age=31536000/)
})

test('without a choice, or with a strange one, the device decides', () => {
  assert.equal(themeOf(new Request('http://localhost/')), 'system')
  assert.equal(themeOf(withCookie('theme=neon')), 'system')
  assert.equal(themeOf(withCookie('notheme=dark')), 'system')
  assert.match(themeCookie('system'), /Max-Age=0/)
})
