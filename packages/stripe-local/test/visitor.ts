import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'

const CHROMIUM = process.env.CHROMIUM_PATH
const CHROMIUM_ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
/** Long enough for a busy machine with two cores; what never comes fails after it. */
const WAIT_MS_MAX = 20_000
const SCREENSHOTS = join(tmpdir(), 'stripe-local-pages')

export interface VisitOptions {
  javaScript?: boolean
  viewport?: { width: number; height: number }
  colorScheme?: 'dark' | 'light'
}
export type Visit = (options?: VisitOptions) => Promise<Page>

/**
 * One browser for the tests of a file, which are skipped where CHROMIUM_PATH names none. Whatever the browser complains
 * about fails the test; a failed one leaves screenshots.
 *
 * @returns what declares a test; use it as `test`
 */
export function visitors() {
  let browser: Browser
  const skip = CHROMIUM ? false : 'CHROMIUM_PATH names no browser'
  if (CHROMIUM) {
    before(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS })
    })
    after(() => browser?.close())
  }

  return (name: string, play: (visit: Visit, t: TestContext) => Promise<void>) => {
    test(name, { skip }, async (t) => {
      const troubles: string[] = []
      const pages: Page[] = []
      const visit: Visit = async ({ javaScript = true, viewport, colorScheme } = {}) => {
        const context = await browser.newContext({
          javaScriptEnabled: javaScript,
          viewport: viewport ?? { width: 1280, height: 900 },
          ...(colorScheme && { colorScheme }),
        })
        context.setDefaultTimeout(WAIT_MS_MAX)
        const page = await context.newPage()
        page.on('pageerror', (error) => troubles.push(`script: ${error.message}`))
        page.on('console', (message) => {
          // A form that was refused answers 4xx, which the browser counts as an error of the network.
          const isRefusal = /status of 4\d\d/.test(message.text())
          if (message.type() === 'error' && !isRefusal) troubles.push(`console: ${message.text()}`)
        })
        pages.push(page)
        return page
      }
      try {
        await play(visit, t)
        assert.deepEqual(troubles, [], 'what the browser complained about')
      } catch (error) {
        await keepScreenshots(t, pages)
        throw error
      } finally {
        await Promise.all(pages.map((page) => page.context().close()))
      }
    })
  }
}

async function keepScreenshots(t: TestContext, pages: Page[]): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true })
  for (const [index, page] of pages.entries()) {
    const path = join(SCREENSHOTS, `${t.name.replace(/\W+/g, '-')}-${index + 1}.png`)
    const taken = await page.screenshot({ path, fullPage: true }).catch(() => null)
    if (taken) t.diagnostic(`${page.url()} looked like ${path}`)
  }
}
