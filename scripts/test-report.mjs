import path from 'node:path'
import { inspect } from 'node:util'

/**
 * Prints a line for each file that ended, under it what failed in full, and adds up.
 *
 * A test fails once: a parent that failed only because of its children is not counted again. A test still to be done
 * (`todo`) counts as skipped whatever it does. A file that dies, fails outside its tests, or in which no test ran,
 * counts as one failed test.
 *
 * Which file a result belongs to is told by its place in the stream, where one file's results end before the next
 * one's begin: an event's own `file` is where `test` was called, and that may be a module several files share.
 */
export async function report(events, { nameOf, say }) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const startedAt = new Map()
  const output = new Map()
  let current = emptyFile()

  const endFile = (file, seconds) => {
    if (current.counted === 0) {
      total.failed += 1
      current.failures.push('no test ran in it')
    }
    printFile(nameOf(file), { ...current, seconds, output: output.get(file) ?? '' }, say)
    output.delete(file)
    current = emptyFile()
  }

  for await (const { type, data } of events) {
    if (!data.file) continue
    const file = path.resolve(data.file)
    const isFile = data.nesting === 0 && path.resolve(data.name ?? '') === file
    if (type === 'test:dequeue' && isFile) startedAt.set(file, performance.now())
    if (type === 'test:stdout' || type === 'test:stderr') output.set(file, (output.get(file) ?? '') + data.message)
    if (type === 'test:start' && !isFile) current.path = [...current.path.slice(0, data.nesting), data.name]
    if (type === 'test:summary') endFile(file, data.duration_ms / 1000)
    if (type !== 'test:pass' && type !== 'test:fail') continue

    // A file is reported as a test of its own only where it had none (a pass), or failed beside them.
    const outcome = isFile && type === 'test:pass' ? undefined : outcomeOf(type, data)
    if (outcome) {
      total[outcome] += 1
      current.counted += 1
    }
    if (outcome === 'failed') current.failures.push(isFile ? fileFailure(data) : testFailure(current.path, data))
    if (isFile) endFile(file, (performance.now() - startedAt.get(file)) / 1000)
  }
  // The run was broken off in the middle of a file.
  if (current.counted > 0) printFile('(interrupted)', { ...current, output: '' }, say)
  return total
}

function emptyFile() {
  return { path: [], failures: [], counted: 0 }
}

function outcomeOf(type, { skip, todo, details }) {
  if (skip !== undefined || todo !== undefined) return 'skipped'
  if (type === 'test:fail' && details.error?.failureType === 'subtestsFailed') return undefined
  if (details.type === 'suite' && type === 'test:pass') return undefined
  return type === 'test:pass' ? 'passed' : 'failed'
}

function fileFailure({ details }) {
  const { exitCode, signal } = details.error
  return `the file itself failed (${signal ? `ended by ${signal}` : `exit code ${exitCode}`})`
}

function testFailure(names, { details }) {
  const error = details.error.cause ?? details.error
  const shown = (error instanceof Error ? inspect(error) : String(error)).replace(/^ +at .*[( ]node:.*\n/gm, '')
  return `${names.join(' > ')}\n${indent(shown)}`
}

function printFile(name, { failures, output, counted, seconds }, say) {
  const took = seconds === undefined ? '' : `, ${seconds.toFixed(1)} s`
  say(`${failures.length === 0 ? '✓' : '✗'} ${name} (${counted}${took})`)
  for (const failure of failures) say(`\n${indent(`✗ ${failure}`)}\n`)
  if (failures.length > 0 && output !== '') say(`${indent(`what it printed:\n${indent(lastLines(output))}`)}\n`)
}

function lastLines(text) {
  const lines = text.trimEnd().split('\n')
  return lines.length <= 60 ? lines.join('\n') : `… ${lines.length - 60} lines before\n${lines.slice(-60).join('\n')}`
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}
