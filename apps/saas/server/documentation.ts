import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { PROJECT_DIRECTORY } from './config.ts'

/** What stands under one heading, without the headings below it. */
export interface Section {
  /** From the project's folder, e.g. `docs/errors.md`. */
  file: string
  /** The headings above and its own, outermost first. */
  path: string[]
  /** Markdown. */
  body: string
}

export interface Found {
  section: Section
  score: number
  /** Which part of the words asked for stands here, 0 to 1, rare words weighing more. */
  coverage: number
}

export interface DocumentationIndex {
  sections: Section[]
  /** Best first. */
  search: (question: string, limit?: number) => Found[]
  /** The words of a text that the documentation knows. */
  knownWords: (text: string) => string[]
}

let index: DocumentationIndex | undefined

/** README.md, docs/*.md and the packages' READMEs, read when first asked for. */
export function documentation(): DocumentationIndex {
  index ??= indexSections(documentFiles(PROJECT_DIRECTORY).flatMap(readSections))
  return index
}

function documentFiles(root: string): string[] {
  const inFolder = (folder: string) =>
    existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).map(({ name }) => join(folder, name)) : []
  const files = [
    join(root, 'README.md'),
    ...inFolder(join(root, 'docs')).filter((file) => file.endsWith('.md')),
    ...inFolder(join(root, 'packages')).map((folder) => join(folder, 'README.md')),
  ]
  return files.filter((file) => existsSync(file))
}

function readSections(file: string): Section[] {
  return splitSections(relative(PROJECT_DIRECTORY, file), readFileSync(file, 'utf8'))
}

/** Cuts a document at its headings; those inside fenced code are none. */
export function splitSections(file: string, markdown: string): Section[] {
  const sections: Section[] = []
  let path: string[] = []
  let lines: string[] = []
  let fence: string | null = null
  const close = () => {
    const body = lines.join('\n').trim()
    if (path.length > 0 && body !== '') sections.push({ file, path, body })
    lines = []
  }
  for (const line of markdown.split('\n')) {
    const [, ticks] = /^\s*(```+|~~~+)/.exec(line) ?? []
    if (ticks) fence = fence === null ? ticks : line.trim().startsWith(fence) ? null : fence
    const heading = fence === null ? /^(#{1,6})\s+(.+?)\s*#*$/.exec(line) : null
    if (!heading) lines.push(line)
    else {
      close()
      path = [...path.slice(0, heading[1]!.length - 1), heading[2]!.replace(/[`*]/g, '')]
    }
  }
  close()
  return sections
}

/** How soon more of the same word stops to count, and how much a long section pays for its length. */
const SATURATION = 1.4
const LENGTH_PENALTY = 0.7
/** A word of the heading says more than one of the text. */
const HEADING_WEIGHT = 4

/** Okapi BM25 over the sections. @see https://en.wikipedia.org/wiki/Okapi_BM25 */
export function indexSections(sections: Section[]): DocumentationIndex {
  const documents = sections.map((section) => countWords(section))
  const headings = sections.map(({ path }) => new Set(wordsOf(path.at(-1) ?? '')))
  const lengths = documents.map((words) => words.values().reduce((total, count) => total + count, 0))
  const averageLength = lengths.reduce((total, length) => total + length, 0) / Math.max(sections.length, 1)
  const frequency = new Map<string, number>()
  for (const words of documents) for (const word of words.keys()) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const rarity = (word: string) => {
    const within = frequency.get(word) ?? 0
    return Math.log(1 + (sections.length - within + 0.5) / (within + 0.5))
  }

  const search = (question: string, limit = 5): Found[] => {
    const asked = [...new Set(wordsOf(question))]
    const weight = (words: string[]) => words.reduce((total, word) => total + rarity(word), 0)
    const askedWeight = weight(asked) || 1
    return sections
      .map((section, position) => {
        const words = documents[position]!
        const hits = asked.filter((word) => words.has(word))
        const norm = SATURATION * (1 - LENGTH_PENALTY + (LENGTH_PENALTY * lengths[position]!) / averageLength)
        const score = hits.reduce((total, word) => {
          const count = words.get(word)!
          return total + (rarity(word) * count * (SATURATION + 1)) / (count + norm)
        }, 0)
        const coverage = weight(hits) / askedWeight
        // A heading that asks the very question has the answer below it.
        const heading = headings[position]!
        const inHeading = hits.filter((word) => heading.has(word))
        const likeness = (weight(inHeading) / askedWeight) * (inHeading.length / Math.max(heading.size, 1))
        return { section, score: score * (1 + likeness), coverage }
      })
      .filter(({ score }) => score > 0)
      .toSorted((a, b) => b.score * b.coverage - a.score * a.coverage)
      .slice(0, limit)
  }
  const knownWords = (text: string) => wordsOf(text).filter((word) => frequency.has(word))
  return { sections, search, knownWords }
}

function countWords({ path, body }: Section): Map<string, number> {
  const counts = new Map<string, number>()
  const add = (text: string, weight: number) => {
    for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + weight)
  }
  add(path.at(-1) ?? '', HEADING_WEIGHT)
  add(path.slice(0, -1).join(' '), 1)
  add(body, 1)
  return counts
}

const STOP_WORDS = new Set(
  `a about an and any are as at be by can could did do does for from get give had has have how i if in into is it its me my
  no not of on or our out please should so some tell than that the their them then there these they this to up us was we
  were what when where which who why will with would you your explain show know need want use using work happen mean meterkit`.split(
    /\s+/,
  ),
)

/** Words that carry meaning, in their plainest form; `recordEvent` is also `record` and `event`. */
function wordsOf(text: string): string[] {
  const parts = text.match(/[\p{L}\p{N}_]+/gu) ?? []
  return parts
    .flatMap((part) => {
      const pieces = part.split(/_|(?<=[a-z])(?=[A-Z])/).filter(Boolean)
      return pieces.length > 1 ? [part, ...pieces] : [part]
    })
    .map((word) => word.toLowerCase())
    .filter((word) => word.length > 1 && !STOP_WORDS.has(word) && !/^\d+$/.test(word))
    .map((word) => stem(SYNONYMS[word] ?? word))
}

/** What people ask by one word and documentation says by another. */
const SYNONYMS: Record<string, string> = {
  cost: 'price',
  costs: 'price',
  cheap: 'price',
  expensive: 'price',
  down: 'unreachable',
  offline: 'unreachable',
  outage: 'unreachable',
  unavailable: 'unreachable',
  twice: 'duplicate',
  double: 'duplicate',
  upgrade: 'switch',
  downgrade: 'switch',
  middle: 'mid',
  unsubscribe: 'cancel',
  install: 'start',
  db: 'database',
  postgres: 'database',
  postgresql: 'database',
}

/** `metering`, `meters` and `meter` are one word. */
function stem(word: string): string {
  if (word.length <= 4) return word.replace(/(?<=[^s])s$/, '')
  return word
    .replace(/ies$/, 'y')
    .replace(/(?<=[^s])s$/, '')
    .replace(/(?:ing|ed)$/, '')
    .replace(/e$/, '')
}
