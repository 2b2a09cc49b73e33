import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/**
 * A shell between us and PostgreSQL, so that nothing is left behind whatever ends us, kill -9 included: its standard
 * input is a pipe we hold, and when the pipe closes it asks the command to stop (SIGINT: PostgreSQL's fast shutdown).
 * `read` must name the descriptor, because a background job's own standard input is /dev/null. The trap comes after
 * the command was started, which must not inherit it; PIPE is in it because we may be gone before the echo. A folder is removed twice
 * if need be: after a kill -9 of the postmaster its orphans still write for a moment.
 */
const SCRIPT = `
on_end=$1 on_end_too=$2 on_failure=$3
shift 3
exec 3<&0
"$@" 3<&- &
pid=$!
trap '' INT TERM HUP PIPE
echo $pid
(read _ <&3; kill -INT $pid) &
reader=$!
wait $pid
code=$?
kill -9 $reader 2>/dev/null
if [ $code -ne 0 ] && [ -n "$on_failure" ]; then rm -rf "$on_failure"; fi
for folder in "$on_end" "$on_end_too"; do
  if [ -n "$folder" ]; then rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }; fi
done 2>/dev/null
exit $code
`

export interface Watched {
  /** The command's own process, not the watchdog's. */
  pid: Promise<number>
  /** The exit code, once both the command and its watchdog have ended. */
  exited: Promise<number>
  /** Asks the command to stop. */
  release(): void
  /** Lets Node exit while the command runs; the watchdog then stops it. */
  unref(): void
  ref(): void
}

/** Runs a command that cannot outlive this process. */
export function spawnWatched(
  command: readonly string[],
  options: { removeOnEnd?: readonly string[]; removeOnFailure?: string; log: (line: string) => void },
): Watched {
  const [first = '', second = ''] = options.removeOnEnd ?? []
  const child = spawn(
    '/bin/sh',
    ['-c', SCRIPT, 'local-postgres-watchdog', first, second, options.removeOnFailure ?? '', ...command],
    // Its own session: a terminal's Ctrl-C must not stop PostgreSQL while our pools still drain.
    // cwd: the account PostgreSQL runs as may not be allowed where we stand.
    { detached: true, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/', env: environment() },
  )
  child.stdin.on('error', () => {}) // the command ended first
  createInterface({ input: child.stderr }).on('line', options.log)

  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
  const pid = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)))
    exited.then(() => reject(new Error('The watchdog ended before it started its command.')), reject)
  })
  pid.catch(() => {}) // not everyone asks for it
  return {
    pid,
    exited,
    release: () => child.stdin.end(),
    unref: () => eachHandle(child, 'unref'),
    ref: () => eachHandle(child, 'ref'),
  }
}

function eachHandle(child: ChildProcess, method: 'ref' | 'unref'): void {
  child[method]()
  for (const stream of child.stdio) (stream as { ref?(): void; unref?(): void } | null)?.[method]?.()
}

/** PGPORT, PGDATA and their kin are meant for another PostgreSQL. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')))
}
