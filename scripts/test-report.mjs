import path from 'node:path'
import { inspect } from 'node:util'

/**
 * Prints a line for each file that ended, under it what failed in full, and adds up.
 *
 * A test fails once: a parent that failed only because of its children is not counted again. A test still to be done
 * (`todo`) counts as skipped whatever it does. A file that dies, or fails outside its tests, counts as one failed test.
 */
export async function report(events, { nameOf, say }) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const files = new Map()
  const entry = (file) => {
    const key = path.resolve(file)
    if (!files.has(key))
      files.set(key, { path: [], failures: [], output: [], counted: 0, startedAt: performance.now() })
    return files.get(key)
  }

  for await (const { type, data } of events) {
    if (!data.file) continue
    const file = entry(data.file)
    const isFile = data.nesting === 0 && path.resolve(data.name ?? '') === path.resolve(data.file)
    if (type === 'test:dequeue' && isFile) file.startedAt = performance.now()
    if (type === 'test:complete' && isFile) file.seconds = (performance.now() - file.startedAt) / 1000
    if (type === 'test:stdout' || type === 'test:stderr') file.output.push(data.message)
    if (type === 'test:start') file.path = [...file.path.slice(0, data.nesting), data.name]
    if (type === 'test:pass' || type === 'test:fail') {
      const outcome = outcomeOf(type, data)
      if (outcome) {
        total[outcome] += 1
        file.counted += 1
      }
      if (outcome === 'failed') file.failures.push(isFile ? fileFailure(data) : testFailure(file.path, data))
    }
    if (type === 'test:summary') file.seconds = data.duration_ms / 1000
    const ended = type === 'test:summary' || (isFile && (type === 'test:pass' || type === 'test:fail'))
    if (ended) {
      printFile(nameOf(path.resolve(data.file)), file, say)
      Object.assign(file, { failures: [], output: [], counted: 0 })
    }
  }
  return total
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
  if (failures.length > 0 && output.length > 0)
    say(`${indent(`what it printed:\n${indent(lastLines(output.join('')))}`)}\n`)
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
