// Every test of the project, or those whose path contains one of the words given: `npm test -- subscribe`.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { run } from 'node:test'
import { startTestPostgres } from 'local-postgres/testing'
import { buildPages } from './pages.mjs'
import { filesUnder, LaunchError, root, say } from './project.mjs'
import { report } from './test-report.mjs'

const FOLDERS = ['packages', 'apps', 'bench', 'docs', 'scripts']
/** Two cores, and much of a test is waiting for the database. */
const FILES_AT_ONCE = 4
const TEST_MS_MAX = 120_000
/** A file whose tests are over but which does not end (a pool left open) would keep everyone waiting. */
const SILENCE_MS_MAX = 180_000
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const inProject = (file) => path.relative(root, file)
const isBrowserTest = (file) => file.endsWith('.browser.test.ts')

async function main(words) {
  const files = testFiles(words)
  // Without a browser these files skip their tests themselves, so that each is counted.
  const browser = findBrowser()
  if (browser) process.env.CHROMIUM_PATH = browser
  else if (files.some(isBrowserTest))
    say('No Chromium found: the browser tests are skipped. CHROMIUM_PATH may name one.')
  const pagesFailed = browser !== undefined && files.some(isBrowserTest) && !(await pagesAreBuilt())
  const chosen = pagesFailed ? files.filter((file) => !isBrowserTest(file)) : files

  // Some two hundred processes load the same modules: each is compiled once.
  process.env.NODE_COMPILE_CACHE ??= path.join(root, 'node_modules', '.cache', 'compiled')
  const postgres = await startTestPostgres()
  process.env.METERKIT_TEST_POSTGRES = postgres.url('postgres')

  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interruption.abort())
  process.on('disconnect', () => interruption.abort())
  process.channel?.unref()

  const startedAt = performance.now()
  const events = run({
    files: chosen,
    concurrency: FILES_AT_ONCE,
    execArgv: [`--test-timeout=${TEST_MS_MAX}`],
    signal: interruption.signal,
  })
  const silence = setTimeout(() => {
    say(`No news for ${SILENCE_MS_MAX / 1000} s: giving up. A test file that never ends has left something open.`)
    interruption.abort()
  }, SILENCE_MS_MAX)
  const heard = events.map((event) => {
    silence.refresh()
    return event
  })
  const { passed, failed, skipped } = await report(heard, { nameOf: inProject, say })
  clearTimeout(silence)
  await postgres.stop()

  const failedInAll = failed + Number(pagesFailed)
  say(`${chosen.length} files in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  if (interruption.signal.aborted) say('Interrupted before the end.')
  say(`${passed} passed, ${failedInAll} failed${skipped ? `, ${skipped} skipped` : ''}`)
  return failedInAll === 0 && !interruption.signal.aborted ? 0 : 1
}

/** The journeys run on the production build. If there is none, that is one failure, and no reason not to run the rest. */
async function pagesAreBuilt() {
  try {
    await buildPages(process.execPath, process.env)
    return true
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error
    say(`✗ the pages: ${error.message} The browser tests cannot run.\n`)
    return false
  }
}

/** Browser tests first: they take longest. */
function testFiles(words) {
  const files = FOLDERS.flatMap((folder) => filesUnder(path.join(root, folder))).filter(
    (file) =>
      /\.test\.(ts|mjs)$/.test(file) && (words.length === 0 || words.some((word) => inProject(file).includes(word))),
  )
  if (files.length > 0) return files.sort((a, b) => Number(isBrowserTest(b)) - Number(isBrowserTest(a)))
  throw new LaunchError(words.length ? `No test file's path contains ${words.join(' or ')}.` : 'There are no tests.')
}

function findBrowser() {
  const named = process.env.CHROMIUM_PATH
  if (named && !existsSync(named)) throw new LaunchError(`CHROMIUM_PATH names ${named}, which does not exist.`)
  return named || BROWSERS.find((file) => existsSync(file))
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof LaunchError ? error.message : error)
    say('0 passed, 1 failed')
    process.exit(1)
  },
)
