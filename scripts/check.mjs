// Types, lint and format, everything that is wrong at once.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { root, say } from './project.mjs'

const bin = (name) => path.join(root, 'node_modules', '.bin', name)
const types = (folder) => ({ name: `types of ${folder}`, steps: [[bin('tsc'), '-p', folder]] })

const checks = [
  types('packages/meterkit'),
  types('packages/stripe-local'),
  types('packages/stripe-local-clients'),
  types('packages/local-postgres'),
  types('bench'),
  {
    name: 'types of apps/saas',
    steps: [
      [bin('react-router'), 'typegen', 'apps/saas'],
      [bin('tsc'), '-p', 'apps/saas'],
    ],
  },
  { name: 'lint and format', steps: [[bin('biome'), 'check', '.']] },
  { name: 'unused code', steps: [[bin('knip'), '--no-progress', '--no-config-hints']] },
]

async function runCheck({ name, steps }) {
  const startedAt = performance.now()
  let said = ''
  let ok = true
  for (const [command, ...args] of steps) {
    const { code, output } = await run(command, args)
    said += output
    ok &&= code === 0
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  say(`${ok ? '✓' : '✗'} ${name} (${seconds} s)`)
  if (!ok) say(said)
  return ok
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const listen = (chunk) => {
      output += chunk
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.on('error', (error) => resolve({ code: 1, output: `${error.message}\n` }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

process.on('disconnect', () => process.exit(1))

const queue = [...checks]
const results = []
const workers = [1, 2].map(async () => {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(await runCheck(next))
})
await Promise.all(workers)
const failed = results.filter((ok) => !ok).length
say(failed === 0 ? 'All checks passed.' : `${failed} of ${results.length} checks failed.`)
process.exit(failed === 0 ? 0 : 1)
