#!/usr/bin/env node
// Runs src/cli.ts. Node 20 cannot read TypeScript: there the Node 24 among the project's packages is called.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 22 || (major === 22 && minor >= 18)) await import(cli)
else {
  const node = newerNode()
  if (node) runWith(node)
  else {
    console.error(
      `stripe-local: Node ${process.versions.node} is too old. Use Node 22.18 or newer, or run npm install first.`,
    )
    process.exitCode = 1
  }
}

/** It ends when we are told to end, and we end as it does. */
function runWith(node) {
  const child = spawn(node, [cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 1))
}

function newerNode() {
  const system = process.platform === 'win32' ? 'win' : process.platform
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${system}-${process.arch}/package.json`)
    const binary = path.join(path.dirname(manifest), 'bin', system === 'win' ? 'node.exe' : 'node')
    return existsSync(binary) ? binary : null
  } catch {
    return null
  }
}
