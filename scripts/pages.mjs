import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runForeground } from './foreground.mjs'
import { withLock } from './lock.mjs'
import { hashFiles, LaunchError, root, say } from './project.mjs'

const app = path.join(root, 'apps', 'saas')
const STAMP = path.join(app, 'build', '.inputs')

/** Builds the app's pages for production, unless they were built from these very sources. */
export async function buildPages(node, env) {
  const inputs = fingerprint(node)
  const isBuilt = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === inputs
  if (isBuilt()) return
  await withLock('page build', async (addHolder) => {
    if (isBuilt()) return
    say('Building the pages …')
    const startedAt = Date.now()
    rmSync(STAMP, { force: true })
    const tool = path.join(root, 'node_modules', '@react-router', 'dev', 'bin.cjs')
    const code = await runForeground(node, [tool, 'build', '--logLevel', 'warn'], {
      cwd: app,
      stdio: ['ignore', 'inherit', 'inherit'],
      env,
      onStart: addHolder,
      disposable: true,
    })
    if (code !== 0) throw new LaunchError('The pages could not be built; what is wrong stands above.')
    mkdirSync(path.dirname(STAMP), { recursive: true })
    writeFileSync(STAMP, inputs)
    say(`Built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`)
  })
}

function fingerprint(node) {
  const configuration = [
    'package.json',
    'tsconfig.json',
    'vite.config.ts',
    'react-router.config.ts',
    'billing.config.ts',
  ]
  const names = [
    'package-lock.json',
    'apps/saas/app',
    'apps/saas/public',
    ...configuration.map((name) => `apps/saas/${name}`),
    ...readdirSync(path.join(root, 'packages')).map((name) => `packages/${name}/src`),
  ]
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  return `${hashFiles(names, { ignore: (file) => /\.test\.tsx?$/.test(file) })} ${version}\n`
}
