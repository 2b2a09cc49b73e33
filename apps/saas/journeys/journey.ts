import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { testDatabase } from 'local-postgres/testing'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { Stripe } from 'stripe'
import { startStripeLocal } from 'stripe-local'
import { dataDirectory, type RunningApp, startApp } from './running-app.ts'

const CHROMIUM = [process.env.CHROMIUM_PATH, '/usr/bin/chromium'].find((path) => path && existsSync(path))
const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Long enough for a busy machine with two cores; what never comes fails after it. */
const WAIT_MS_MAX = 20_000
const STRIPE_KEY = 'sk_test_local_journeys'
const SCREENSHOTS = join(tmpdir(), 'meterkit-journeys')

export interface Person {
  name: string
  email: string
  password: string
}

/** Seeded by the app in development. */
export const ADMIN: Person = { name: 'Ada Admin', email: 'admin@example.com', password: 'password' }

export interface VisitOptions {
  /** Signed in already. */
  as?: Person
  /** Messages that this visit is meant to cause. */
  expect?: RegExp[]
  javaScript?: boolean
  viewport?: { width: number; height: number }
}

export interface Stage {
  app: RunningApp
  /** The app's database, for what no page can do. */
  databaseUrl: string
  /** The app's local Stripe, as its dashboard would change it. */
  stripe: () => Stripe
  /** A new account, with an organization of its own where one is named. */
  register: (person: Person, organization?: { name: string; slug: string }) => Promise<void>
  /** A browser window without history; whatever goes wrong in it fails the journey. */
  visit: (options?: VisitOptions) => Promise<Page>
  /** Stops the app as Ctrl-C does and starts it again on the same data and port. */
  restart: () => Promise<void>
}

/**
 * One app, one database and one browser for the journeys of a file. Without a Chromium they are skipped, not passed.
 *
 * @returns what declares a journey; use it as `test`
 */
export function journeys(environment: Record<string, string> = {}) {
  let app: RunningApp
  let browser: Browser
  let settings: Record<string, string>
  const signedIn = new Map<string, Awaited<ReturnType<BrowserContext['storageState']>>>()
  const releases: (() => unknown)[] = []
  const skip = CHROMIUM ? false : 'no Chromium found; CHROMIUM_PATH may name one'

  if (!skip) {
    before(async () => {
      const file = { after: (release: () => unknown) => void releases.push(release) }
      settings = {
        METERKIT_DATA_DIR: await dataDirectory(file),
        DATABASE_URL: await testDatabase(file),
        ...environment,
      }
      await prepareStripe(join(settings.METERKIT_DATA_DIR!, 'stripe.sqlite'))
      ;[app, browser] = await Promise.all([
        startApp(settings),
        chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_ARGUMENTS }),
      ])
    })
    after(async () => {
      await browser?.close()
      await app?.stop()
      for (const release of releases.toReversed()) await release()
    })
  }

  return (name: string, play: (stage: Stage) => Promise<void>) => {
    test(name, { skip }, async (t) => {
      const troubles: string[] = []
      const visits: Page[] = []
      const stage: Stage = {
        app,
        databaseUrl: settings.DATABASE_URL!,
        register,
        stripe: () => {
          const { hostname, port } = new URL(app.stripeUrl)
          return new Stripe(STRIPE_KEY, { host: hostname, port: Number(port), protocol: 'http' })
        },
        visit: async (options = {}) => {
          const page = await openPage(options, troubles)
          visits.push(page)
          return page
        },
        restart: async () => {
          await Promise.all(visits.map((page) => page.goto('about:blank')))
          const code = await app.stop()
          assert.equal(code, 0, app.output())
          app = await startApp({ ...settings, PORT: new URL(app.url).port })
          stage.app = app
        },
      }
      try {
        await play(stage)
        assert.deepEqual(troubles, [], 'what the browser complained about')
      } catch (error) {
        await keepScreenshots(t, visits)
        if (troubles.length > 0) t.diagnostic(`The browser complained: ${troubles.join('; ')}`)
        t.diagnostic(`The app wrote: ${app.output()}`)
        throw error
      } finally {
        await Promise.all(visits.map((page) => page.context().close()))
      }
    })
  }

  async function openPage({ as, expect = [], javaScript = true, viewport }: VisitOptions, troubles: string[]) {
    const context = await browser.newContext({
      baseURL: app.url,
      javaScriptEnabled: javaScript,
      viewport: viewport ?? { width: 1280, height: 900 },
      ...(as && { storageState: await signInState(as) }),
    })
    context.setDefaultTimeout(WAIT_MS_MAX)
    const page = await context.newPage()
    const note = (trouble: string) => {
      if (!expect.some((pattern) => pattern.test(trouble))) troubles.push(trouble)
    }
    page.on('console', (message) => {
      if (message.type() === 'error') note(`console: ${message.text()} (${message.location().url})`)
    })
    page.on('pageerror', (error) => note(`script: ${error.message}`))
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText
      // Whoever leaves a page lets its streams and prefetches go; without JavaScript no script is let in.
      if (why !== 'net::ERR_ABORTED' && (javaScript || why !== 'csp')) note(`request: ${why} (${request.url()})`)
    })
    page.on('response', (response) => {
      if (response.status() >= 500) note(`answer: ${response.status()} (${response.url()})`)
    })
    return page
  }

  /** Signs in once and keeps the cookie: what signing in looks like is a journey of its own. */
  async function signInState({ email, password }: Person) {
    const known = signedIn.get(email)
    if (known) return known
    return keepState(email, async (post) => post('/api/auth/sign-in/email', { email, password }))
  }

  async function register(person: Person, organization?: { name: string; slug: string }): Promise<void> {
    await keepState(person.email, async (post) => {
      await post('/api/auth/sign-up/email', { ...person })
      if (organization) await post('/api/auth/organization/create', { ...organization })
    })
  }

  async function keepState(email: string, act: (post: (path: string, data: object) => Promise<void>) => Promise<void>) {
    const context = await browser.newContext({ baseURL: app.url })
    await act(async (path, data) => {
      const response = await context.request.post(path, { data, headers: { origin: app.url } })
      assert.equal(response.status(), 200, `${path}: ${await response.text()}`)
    })
    const state = await context.storageState()
    await context.close()
    signedIn.set(email, state)
    return state
  }
}

/** The state file keeps the key it was begun with, so the app's local Stripe will have ours. */
async function prepareStripe(file: string): Promise<void> {
  const stripe = await startStripeLocal({ file, secretKey: STRIPE_KEY })
  await stripe.close()
}

async function keepScreenshots(t: TestContext, visits: Page[]): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true })
  for (const [index, page] of visits.entries()) {
    const path = join(SCREENSHOTS, `${t.name.replace(/\W+/g, '-')}-${index + 1}.png`)
    const taken = await page.screenshot({ path, fullPage: true }).catch(() => null)
    if (taken) t.diagnostic(`${page.url()} looked like ${path}`)
  }
}
