import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { PROJECT_DIRECTORY, VARIABLE_NAMES } from './config.ts'

/**
 * Reads `.env` of the project, if there is one; what the environment already says wins.
 *
 * @returns a sentence for each thing in it that looks like a slip of the pen
 */
export function loadEnvironmentFile(directory = PROJECT_DIRECTORY): string[] {
  const file = join(directory, '.env')
  if (!existsSync(file)) return []
  process.loadEnvFile(file)
  return slipsIn(readFileSync(file, 'utf8'))
}

/** Names that nothing reads beside one that is read, and lines that assign nothing. Values are never repeated. */
export function slipsIn(content: string): string[] {
  const misspelled = Object.keys(parseEnv(content)).flatMap((name) => {
    const meant = VARIABLE_NAMES.includes(name) ? undefined : VARIABLE_NAMES.find((known) => isNear(name, known))
    return meant ? [`.env sets ${name}, which nothing reads; did you mean ${meant}?`] : []
  })
  return [...misspelled, ...idleLines(content)]
}

const QUOTED_ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*(["'`])[\s\S]*?\1/gm
const ASSIGNMENT = /^\s*(?:export\s+)?[\w.-]+\s*=/

function idleLines(content: string): string[] {
  // A quoted value may go on over lines, none of which is a line of its own.
  const flat = content.replace(QUOTED_ASSIGNMENT, (whole) => `QUOTED=${'\n#'.repeat(whole.split('\n').length - 1)}`)
  return flat.split('\n').flatMap((line, index) => {
    if (/^\s*(#|$)/.test(line) || ASSIGNMENT.test(line)) return []
    return [`Line ${index + 1} of .env assigns nothing; write NAME=value, or begin it with # to make it a comment.`]
  })
}

/** Two slips of a key, one in a short name; or the name with something behind it, such as STRIPE_SECRET_KEY. */
function isNear(name: string, known: string): boolean {
  const upper = name.toUpperCase()
  return upper.startsWith(`${known}_`) || distance(upper, known) <= (known.length > 5 ? 2 : 1)
}

/** How many letters must be added, removed or replaced to make one of the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
