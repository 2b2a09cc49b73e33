import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** A shutdown may take a moment (requests, jobs, the journal); whoever asks again after it is impatient. */
const PATIENCE_MS = 5000

/**
 * Runs a program in our place until it ends. What is asked of us is asked of it: signals are passed on, and when our
 * own parent dies without a word (npm loses signals in its shell), it is asked to stop, too. One Ctrl-C may reach it
 * twice, from the terminal and from us, so its stop must be repeatable.
 *
 * @param onStart hears the program's process id
 * @param disposable what it does can be thrown away: it is killed when asked to stop
 * @returns its exit code (128 + the number of the signal that ended it)
 */
export function runForeground(command, args, { onStart = () => {}, disposable = false, ...options }) {
  const child = spawn(command, args, options)
  if (child.pid) onStart(child.pid)
  let asked
  const ask = (signal) => {
    asked = asked || { signal, at: Date.now() }
    child.kill(disposable || Date.now() - asked.at > PATIENCE_MS ? 'SIGKILL' : signal)
  }
  for (const signal of SIGNALS) process.on(signal, ask)

  const parent = process.ppid
  const parentWatch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(parentWatch)
    ask('SIGTERM')
  }, 500)

  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearInterval(parentWatch)
      for (const name of SIGNALS) process.off(name, ask)
      if (asked && disposable) reject(new Interrupted(asked.signal))
      else resolve(signal ? exitCode(signal) : code)
    })
  })
}

/** Someone asked us to stop before the work was done. */
export class Interrupted extends Error {
  constructor(signal) {
    super(`interrupted by ${signal}`)
    this.exitCode = exitCode(signal)
  }
}

function exitCode(signal) {
  return 128 + constants.signals[signal]
}
