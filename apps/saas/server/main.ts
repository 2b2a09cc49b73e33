import { readConfig, StartupError } from './config.ts'
import { loadEnvironmentFile } from './environment-file.ts'

/** The program behind `npm start` and `npm run dev`: reads the configuration, starts the app, stops it when asked. */
async function main(): Promise<void> {
  for (const slip of loadEnvironmentFile()) process.stderr.write(`Meterkit: ${slip}\n`)
  const config = readConfig(process.env)
  const dev = process.argv.includes('--dev')
  // React chooses its build by NODE_ENV when it is first loaded, and the pages were built for the faster one. Whether
  // this is production was decided above.
  process.env.NODE_ENV = process.env.NODE_ENV || (dev ? 'development' : 'production')

  let stop: () => Promise<void> = async () => {}
  let asked = false
  const end = async () => {
    if (asked) return // a terminal's Ctrl-C reaches us twice
    asked = true
    const startedAt = performance.now()
    await stop()
    process.stdout.write(`Meterkit has stopped (${((performance.now() - startedAt) / 1000).toFixed(2)} s).\n`)
    process.exit(0)
  }
  const listenForTheEnd = () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  }
  listenForTheEnd()
  process.on('disconnect', end) // the launcher has gone
  process.channel?.unref()

  const { startApp } = await import('./app.ts')
  const app = await startApp(config, { dev })
  stop = app.stop
  process.stdout.write(`${app.welcome}\n`)
  if (dev) listenForTheEnd() // Vite's plugin had taken its place
}

try {
  await main()
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
