// The app with its sources watched: pages reload in the browser by themselves, a change of server code restarts it.
// Not `node --watch`, which stays behind when its own parent is killed.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync, watch } from 'node:fs'
import path from 'node:path'
import { root, say } from './project.mjs'

const WATCHED = [
  'apps/saas/server',
  'packages/meterkit/src',
  'packages/stripe-local/src',
  'packages/local-postgres/src',
]
const SETTLED_MS = 150 // an editor saves a file in several steps, git many files

let app
let stopping = false
let restarting = false

function start() {
  restarting = false
  app = spawn(process.execPath, ['apps/saas/server/main.ts', '--dev', ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  app.on('exit', (code) => {
    if (stopping) process.exit(code ?? 0)
    if (restarting) return start()
    say(`The app ended (exit code ${code}); it starts again on the next change.`)
    app = undefined
  })
}

function restart(file) {
  if (stopping || restarting) return
  say(`${file} changed: restarting`)
  if (!app) return start()
  restarting = true
  app.kill('SIGTERM')
}

function stop(signal) {
  stopping = true
  if (!app) process.exit(0)
  app.kill(signal)
}

const watchers = new Map()
let settling

/** One watcher a folder: Node's recursive watching on Linux loses a file once an editor has replaced it. */
function watchFolder(folder) {
  if (watchers.has(folder)) return
  const watcher = watch(path.join(root, folder), (_event, name) => onChange(path.join(folder, name ?? '')))
  watcher.on('error', () => {}) // the folder was removed
  watcher.on('close', () => watchers.delete(folder))
  watchers.set(folder, watcher)
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    if (entry.isDirectory()) watchFolder(path.join(folder, entry.name))
  }
}

function onChange(file) {
  const place = path.join(root, file)
  if (existsSync(place) && statSync(place).isDirectory()) return watchFolder(file)
  if (!/\.(ts|sql|json)$/.test(file) || file.endsWith('.test.ts')) return
  clearTimeout(settling)
  settling = setTimeout(restart, SETTLED_MS, file)
}

for (const folder of WATCHED) watchFolder(folder)
watch(path.join(root, 'apps/saas'), (_event, name) => {
  if (name === 'billing.config.ts') onChange(path.join('apps/saas', name))
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
process.on('disconnect', () => stop('SIGTERM'))
start()
