import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { runForeground } from './foreground.mjs'
import { withLock } from './lock.mjs'
import { hashFiles, LaunchError, root, say, stateFolder } from './project.mjs'

/** Written after a successful install; a modification time would lie after a change of branch. */
const STAMP = path.join(root, 'node_modules', '.meterkit-installed')

/** Installs the dependencies the lockfile names, if they are not there already. */
export async function installDependencies() {
  if (isInstalled()) return
  await withLock('install', async (addHolder) => {
    if (isInstalled()) return // by the one we waited for
    await npmCi(addHolder)
    writeFileSync(STAMP, wanted())
  })
}

function isInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted()
}

/** With the platform, because a folder may be shared with a container of another one. */
function wanted() {
  return `${hashFiles(['package-lock.json'])} ${process.platform}-${process.arch}\n`
}

async function npmCi(addHolder) {
  const again = existsSync(path.join(root, 'node_modules'))
  say(again ? 'Installing changed dependencies …' : 'Installing dependencies (once; about half a minute) …')
  const startedAt = Date.now()
  const seconds = () => Math.round((Date.now() - startedAt) / 1000)
  const progress = setInterval(() => say(`  still installing, ${seconds()} s`), 10_000)
  const { command, args } = npm()
  const options = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--engine-strict=false']
  const quiet = ['--no-progress', '--no-update-notifier', '--loglevel=error']
  try {
    const code = await runForeground(command, [...args, 'ci', ...options, ...quiet, ...cacheOptions()], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PATH: pathOutside() },
      onStart: addHolder,
      disposable: true, // npm would first finish its downloads
    })
    if (code !== 0) throw new LaunchError(`npm ci failed (exit code ${code}); what npm said stands above.`)
  } finally {
    clearInterval(progress)
    rmSync(path.join(stateFolder, 'npm-cache'), { recursive: true, force: true })
  }
  say(`Installed in ${seconds()} s.`)
}

/** The npm that runs us; another package manager, or none, is answered by the npm on the path. */
function npm() {
  const script = process.env.npm_execpath
  if (script && path.basename(script).startsWith('npm-cli.')) return { command: nodeOutside(), args: [script] }
  return { command: 'npm', args: [] }
}

/** npm ci deletes node_modules, which must not be what runs it: npm 11 puts a Node of its own there on the path. */
function nodeOutside() {
  if (!isInside(process.execPath)) return process.execPath
  const found = pathOutside()
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'node'))
    .find((file) => existsSync(file))
  return found || process.execPath
}

function pathOutside() {
  const folders = (process.env.PATH || '').split(path.delimiter)
  return folders.filter((folder) => !isInside(folder)).join(path.delimiter)
}

function isInside(place) {
  return place.startsWith(path.join(root, 'node_modules'))
}

/** npm wants to write to its cache in the home folder, which may be missing or closed (a service's user). */
function cacheOptions() {
  const cache = process.env.npm_config_cache || path.join(homedir(), '.npm')
  if (isWritable(cache)) return []
  return ['--cache', path.join(stateFolder, 'npm-cache'), '--logs-max=0']
}

function isWritable(folder) {
  if (!existsSync(folder)) return path.dirname(folder) !== folder && isWritable(path.dirname(folder))
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
