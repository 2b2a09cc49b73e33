import { Command, CommanderError } from 'commander'
import { addEvents } from './cli/events.ts'
import { addImports } from './cli/imports.ts'
import { addJournal } from './cli/journal.ts'
import { FAILED, UsageError, WRONG_USAGE } from './cli/outcome.ts'
import { addProvision } from './cli/provision.ts'
import { addReconcile } from './cli/reconcile.ts'
import { addSync } from './cli/sync.ts'
import { addVerify } from './cli/verify.ts'

const program = new Command('meterkit')
  .description('Usage-based billing on Stripe: the tools beside the library.')
  .exitOverride()
  .addHelpText(
    'after',
    `
Environment (also read from .env; beside an app started by npm start nothing is needed):
  DATABASE_URL             the app's PostgreSQL
  STRIPE_SECRET            the secret key; a live one only with STRIPE_PRODUCTION_MODE=true
  STRIPE_URL               another Stripe than api.stripe.com, e.g. http://127.0.0.1:12111 for the local one
  METERKIT_DATA_DIR        where the app keeps its data; default .meterkit
  METERKIT_JOURNAL         the journal's directory; default journal/ in the data directory

Exit codes: 0 all is well; 1 something does not agree, was refused or failed; 2 wrong usage.`,
  )

addProvision(program)
addVerify(program)
addReconcile(program)
addSync(program)
addImports(addEvents(program))
addJournal(program)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
  else {
    console.error(`meterkit: ${(error as Error).message}`)
    process.exitCode = error instanceof UsageError ? WRONG_USAGE : FAILED
  }
}
