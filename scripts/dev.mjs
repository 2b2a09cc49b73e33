// The app with its sources watched: pages reload in the browser by themselves, a change of server code restarts it.
// Not `node --watch`, which stays behind when its own parent is killed.
import { spawn } from 'node:child_process'
import { existsSync, watch } from 'node:fs'
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

let settling
for (const folder of WATCHED.filter((folder) => existsSync(path.join(root, folder)))) {
  watch(path.join(root, folder), { recursive: true }, (_event, name) => {
    if (!name || !/\.(ts|sql|json)$/.test(name) || name.endsWith('.test.ts')) return
    clearTimeout(settling)
    settling = setTimeout(restart, SETTLED_MS, path.join(folder, name))
  })
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
process.on('disconnect', () => stop('SIGTERM'))
start()
