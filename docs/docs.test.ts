import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ERROR_CODES } from 'meterkit'
import { DEMO_QUESTIONS } from 'saas/server/demo-model'
import { documentation } from 'saas/server/documentation'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGES = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md'], { cwd: ROOT }).sort()

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

test('each error code has its heading, in the order of the list, and no heading is of a code that is gone', () => {
  assert.deepEqual(headings(read('docs/errors.md'), 2), [...ERROR_CODES])
})

test('each setting is in the table of going live and in .env.example', () => {
  // the names in the schema of the configuration, one to a line
  const settings = [...read('apps/saas/server/config.ts').matchAll(/^ {4}([A-Z][A-Z_]+): /gm)].map(([, name]) => name!)
  assert.ok(settings.length > 15 && settings.includes('STRIPE_SECRET'), `found ${settings.join(', ')}`)

  const rows = [...read('docs/how-do-i-go-live.md').matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name!)
  assert.deepEqual(rows.toSorted(), settings.toSorted())
  const example = [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name!)
  assert.deepEqual(example.toSorted(), settings.toSorted())
})

test('each link leads to a file that is there, and to a heading in it', () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(read(page)).flatMap((link) => (leadsSomewhere(page, link) ? [] : [`${page}: ${link}`])),
  )
  assert.deepEqual(broken, [])
})

test('each guide and each decision can be reached from the front page', () => {
  const linked = new Set(linksOf(read('README.md')))
  const guides = PAGES.filter((page) => /^docs\/[^/]+\.md$/.test(page))
  assert.deepEqual(
    guides.filter((page) => !linked.has(page)),
    [],
  )
  assert.ok(linked.has('docs/decisions/'))
})

test('the TypeScript of the front page and the guides compiles', () => {
  const folder = temporaryFolder()
  try {
    const origin = writeSnippets(folder)
    assert.ok(origin.size > 20)
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      cwd: folder,
    })
    const named = stdout.replace(/^(\S+?\.ts)(?=\()/gm, (file) => `${file} (${origin.get(file) ?? '?'})`)
    assert.equal(status, 0, named)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the demo model answers the questions it suggests with the section of that name', () => {
  const questions = [...DEMO_QUESTIONS, 'How does recordEvent make sure that no event is lost?']
  const answers = questions.map((question) => documentation().search(question)[0]?.section.path.at(-1))
  assert.deepEqual(answers, questions)
})

function headings(markdown: string, level: number): string[] {
  return [...withoutBlocks(markdown).matchAll(/^(#+) (.+)$/gm)]
    .filter(([, marks]) => marks!.length === level)
    .map(([, , title]) => title!)
}

/** Without blocks of code, in which a `#` is a comment. */
function withoutBlocks(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/^ {4}.*$/gm, '')
}

/** Relative ones only: what is elsewhere is not ours to test. */
function linksOf(markdown: string): string[] {
  const prose = withoutBlocks(markdown).replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path))
  if (!existsSync(join(ROOT, target))) return false
  if (anchor === undefined) return true
  return [1, 2, 3, 4].some((level) => headings(read(target), level).some((title) => anchorOf(title) === anchor))
}

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
}

/** What a snippet may use without saying where it has it from. */
const WORLD = `
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { Meterkit } from 'meterkit'
import type { Pool } from 'pg'
declare global {
  const meterkit: Meterkit<'ai_tokens', 'essential' | 'business' | 'enterprise'>
  const pool: Pool
  const model: LanguageModelV4
  const customerId: string
  const subscriptionId: string
  const eventId: string
}
`

/** Inside the project, so that a snippet finds our packages and theirs. */
function temporaryFolder(): string {
  mkdirSync(join(ROOT, '.meterkit'), { recursive: true, mode: 0o700 })
  const folder = mkdtempSync(join(ROOT, '.meterkit', 'docs-'))
  const options = { extends: '../../tsconfig.base.json', compilerOptions: { noUnusedLocals: false }, include: ['.'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'world.d.ts'), WORLD)
  return folder
}

/**
 * Each block a module of its own. One that begins with its file's name is that file, beside the others of its page.
 * @returns where each file came from
 */
function writeSnippets(folder: string): Map<string, string> {
  const origin = new Map<string, string>()
  for (const page of PAGES.filter((name) => /^(README|docs\/)/.test(name))) {
    const markdown = read(page)
    for (const [count, { 1: code = '', index }] of [...markdown.matchAll(/^```ts\n([\s\S]*?)^```/gm)].entries()) {
      const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? `snippet-${count + 1}.ts`
      const file = join(page.replace(/\W+/g, '-'), name)
      mkdirSync(join(folder, dirname(file)), { recursive: true })
      writeFileSync(join(folder, file), `${code}\nexport {}\n`)
      origin.set(file, `${page}:${markdown.slice(0, index).split('\n').length}`)
    }
  }
  return origin
}
