import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { LaunchError, say, stateFolder } from './project.mjs'

/**
 * Runs `work` while no other launcher of this project runs work of the same name; a second one waits and says for
 * whom. `work` gets a function that adds a process to the lock's holders: a killed launcher's child still holds it.
 */
export async function withLock(name, work) {
  const file = path.join(stateFolder, `${name}.lock`)
  makeStateFolder()
  let waitedFor
  while (!take(file)) {
    const holder = holders(file).find(isAlive)
    if (holder === undefined) {
      rmSync(file, { force: true })
      continue
    }
    if (waitedFor !== holder) say(`Waiting for process ${holder}, which is busy with the ${name} of this folder …`)
    waitedFor = holder
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  try {
    return await work((pid) => renameSync(draft(file, `${process.pid} ${pid}`), file))
  } finally {
    rmSync(file, { force: true })
  }
}

function makeStateFolder() {
  try {
    mkdirSync(stateFolder, { recursive: true })
  } catch (error) {
    throw new LaunchError(
      `The folder ${stateFolder} cannot be made (${error.code}): run this as the user who owns the project.`,
    )
  }
}

function take(file) {
  let written
  try {
    written = draft(file, String(process.pid))
    linkSync(written, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw new LaunchError(`${file} cannot be written (${error.code}): run this as the user who owns the project.`)
  } finally {
    if (written) rmSync(written)
  }
}

/** A lock appears and changes in one step with its content: one without would look abandoned. */
function draft(file, content) {
  const name = `${file}.${process.pid}`
  writeFileSync(name, content)
  return name
}

function holders(file) {
  try {
    return readFileSync(file, 'utf8').split(' ').map(Number).filter(Boolean)
  } catch {
    return []
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
  try {
    // Numbers are given out again: only a launcher or its npm and Vite can hold the lock. A zombie's line is empty.
    return /node|npm/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
  } catch {
    return process.platform !== 'linux'
  }
}
