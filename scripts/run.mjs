// The one entry of every npm script. It must run on an old Node, before anything is installed: plain JavaScript, and
// nothing but Node's own modules here and in what it imports.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Interrupted, runForeground } from './foreground.mjs'
import { installDependencies } from './install.mjs'
import { buildPages } from './pages.mjs'
import { LaunchError, root } from './project.mjs'
import { checkLauncherVersion, environmentFor, findNode } from './runtime.mjs'

const COMMANDS = {
  start: { script: 'apps/saas/server/main.ts', pages: true },
  dev: { script: 'scripts/dev.mjs' },
  test: { script: 'scripts/test.mjs' },
  check: { script: 'scripts/check.mjs' },
  bench: { script: 'bench/main.ts' },
  'test:faults': { script: 'packages/meterkit/test/faults/main.ts' },
}

async function main([name, ...args]) {
  checkLauncherVersion()
  const command = COMMANDS[name]
  if (!command) throw new LaunchError(`Usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`)
  await installDependencies()
  const node = findNode()
  const env = environmentFor(node)
  if (command.pages) await buildPages(node, env)

  const script = path.join(root, command.script)
  if (!existsSync(script)) throw new LaunchError(`There is no ${command.script} to run.`)
  // Should we be killed without a chance to pass it on, the channel closes, and the program stops by itself.
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc']
  return runForeground(node, [script, ...args], { cwd: root, env, stdio })
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    if (error instanceof Interrupted) process.exit(error.exitCode)
    console.error(error instanceof LaunchError ? error.message : error)
    process.exit(1)
  },
)
