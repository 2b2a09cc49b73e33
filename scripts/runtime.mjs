import { existsSync } from 'node:fs'
import path from 'node:path'
import { LaunchError, root } from './project.mjs'

const OLDEST_LAUNCHER = 20
const OLDEST = 24

const major = Number(process.versions.node.split('.')[0])

/** Says in one line what an old Node would say in a stack. */
export function checkLauncherVersion() {
  if (major >= OLDEST_LAUNCHER) return
  throw new LaunchError(
    `This project needs Node.js ${OLDEST_LAUNCHER} or newer, and this is ${process.version} (${process.execPath}). Get a newer one from https://nodejs.org`,
  )
}

/** A Node that runs TypeScript as it is: the one running, or the one npm installed with the dependencies. */
export function findNode() {
  if (major >= OLDEST) return process.execPath
  const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const node = path.join(
    root,
    'node_modules',
    `node-${platform}`,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  )
  if (existsSync(node)) return node
  throw new LaunchError(
    `Node.js ${OLDEST} is needed, this is ${process.version}, and npm did not bring one for ${platform} (${node} is missing). ` +
      `Install Node.js ${OLDEST} from https://nodejs.org, or delete node_modules and try again if optional dependencies were left out.`,
  )
}

/** Our tools begin with `#!/usr/bin/env node`: they must find the same Node, and each other. */
export function environmentFor(node) {
  const folders = [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH]
  return { ...process.env, PATH: folders.join(path.delimiter) }
}
