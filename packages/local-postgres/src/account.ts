import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Binaries } from './binaries.ts'
import { LocalPostgresError } from './error.ts'

/** "nobody" by convention: what PostgreSQL takes itself for when we are root, which it refuses to be. */
const NOBODY = '65534'

/** As whom PostgreSQL runs, and the version that was seen to run so. */
export interface Account {
  /** What stands before every command. */
  prefix: string[]
  /** To whom the data folder must belong, when that is not us. */
  uid?: number
  /** For the log; empty when there is nothing unusual. */
  description: string
  majorVersion: number
}

/**
 * The first way of running PostgreSQL that works here. An ordinary user runs it as himself. For root:
 *
 * 1. a user namespace in which root is called 65534: files stay root's and a private home stays reachable;
 * 2. where namespaces are forbidden (many containers), user 65534 with the right to pass closed folders, so that
 *    neither binaries nor data need be copied out of a private home; without that right if it cannot be given.
 *
 * @param folder the data folder, or the folder it will be made in
 */
export function chooseAccount({ postgres }: Binaries, folder: string): Account {
  const failures: string[] = []
  for (const way of waysToRun(folder)) {
    const command = [...way.prefix, '/bin/sh', '-c', '"$1" --version && test -w "$2"', 'sh', postgres, folder]
    const probe = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8', cwd: '/' })
    const version = /\(PostgreSQL\) (\d+)/.exec(probe.stdout ?? '')?.[1]
    if (probe.status === 0 && version) return { ...way, majorVersion: Number(version) }
    const reason =
      probe.error?.message ?? (probe.stderr.trim() || (version ? `${folder} is not writable` : 'no answer'))
    failures.push(`${way.description || 'directly'}: ${reason}`)
  }
  throw new LocalPostgresError(`PostgreSQL cannot run here.\n${failures.map((line) => `  ${line}`).join('\n')}`)
}

function waysToRun(folder: string): Omit<Account, 'majorVersion'>[] {
  const namespace = {
    prefix: ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'],
    description: `as user ${NOBODY} of its own user namespace`,
  }
  const direct = { prefix: [], description: '' }
  // initdb wants its user to have a name, which an arbitrary uid in a container may not have.
  if (process.geteuid?.() !== 0) return hasName() ? [direct] : [namespace, direct]

  // Another user's data stays his.
  const owner = statSync(folder).uid
  const uid = owner === 0 ? Number(NOBODY) : owner
  const asUser = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
  const demoted = [
    {
      // no_setuid_fixup: otherwise access(2), by which PostgreSQL looks at its own programs, forgets the right.
      prefix: [
        ...asUser,
        '--inh-caps=+dac_override',
        '--ambient-caps=+dac_override',
        '--securebits=+no_setuid_fixup',
        '--',
      ],
      uid,
      description: `as user ${uid}, allowed to pass closed folders`,
    },
    { prefix: [...asUser, '--'], uid, description: `as user ${uid}` },
  ]
  return owner === 0 ? [namespace, ...demoted] : demoted
}

function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}
