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
 * @returns its exit code (128 + the number of the signal that ended it), and whether it was asked to stop
 */
export function runForeground(command, args, options, onStart = () => {}) {
  const child = spawn(command, args, options)
  if (child.pid) onStart(child.pid)
  let askedAt
  const ask = (signal) => {
    askedAt = askedAt === undefined ? Date.now() : askedAt
    child.kill(Date.now() - askedAt > PATIENCE_MS ? 'SIGKILL' : signal)
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
      resolve({ code: signal ? 128 + constants.signals[signal] : code, asked: askedAt !== undefined })
    })
  })
}
