import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json and all the rest. */
export const root = path.resolve(fileURLToPath(new URL('..', import.meta.url)))

/** What the project keeps on this machine and git ignores. */
export const stateFolder = path.join(root, '.meterkit')

/** Says one line to whoever started us. */
export function say(line) {
  process.stdout.write(`${line}\n`)
}

/** Ends the launcher with a sentence, not a stack. */
export class LaunchError extends Error {}

/** A fingerprint of files, by name and content; folders are read to their leaves, what is missing counts as missing. */
export function hashFiles(names, { ignore = () => false } = {}) {
  const hash = createHash('sha256')
  for (const name of names) {
    for (const file of filesUnder(path.join(root, name))) {
      if (ignore(file)) continue
      const content = readFileSync(file)
      hash.update(`${path.relative(root, file)}\0${content.length}\0`).update(content)
    }
  }
  return hash.digest('hex')
}

/** All files of a folder in a fixed order, without what is installed or built; a file is its own folder. */
export function filesUnder(place) {
  if (!existsSync(place)) return []
  if (statSync(place).isFile()) return [place]
  const skipped = ['node_modules', '.git', '.meterkit', '.react-router', 'build', 'dist']
  return readdirSync(place, { withFileTypes: true })
    .filter((entry) => !skipped.includes(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesUnder(path.join(place, entry.name)))
}
