import { playRound } from './round.ts'
import { startServer } from './server.ts'

const server = await startServer()
const [from, to, steps] = process.argv.slice(2).map(Number)
for (let seed = from!; seed <= to!; seed++) {
  const t = performance.now()
  try {
    const { verdict, struck, trail } = await playRound(server, seed, steps!)
    console.log(
      seed,
      Math.round(performance.now() - t),
      'ms',
      JSON.stringify({ ...verdict, findings: verdict.findings.length }),
      [...struck.values()].reduce((a, b) => a + b, 0),
      'faults',
    )
    for (const line of verdict.findings.slice(0, 12)) console.log('   ', line)
    if (process.env.SHOW) {
      console.log(trail.join('\n'))
      console.log(struck)
    }
  } catch (error) {
    console.log(seed, error)
  }
}
await server.remove()
process.exit()
