import { parseArgs } from 'node:util'
import { randomOf } from '../random.ts'
import { playRound } from './round.ts'
import { withoutSafeguards } from './safeguards.ts'
import { killWhileRecording, outage, poisonAmong } from './scenarios.ts'
import { startServer } from './server.ts'

/*
 * npm run test:faults                              ten minutes: 200 kills, a minute without PostgreSQL, poison, seeded rounds
 * npm run test:faults -- --seed 7 --minutes 30     other rounds, and more of them
 * npm run test:faults -- --round 7003              one round again, told step by step
 * npm run test:faults -- --without-safeguards      takes each safeguard out in turn: a test must notice
 */

const STEPS = 100
const KILLS = 200
const OUTAGE = { seconds: 60, perSecond: 5_000 }
const POISONED_AMONG = 1_000_000
/** Rounds of one run are numbered after its seed. */
const ROUNDS_MAX = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    round: { type: 'string' },
    steps: { type: 'string', default: String(STEPS) },
    'without-safeguards': { type: 'boolean', default: false },
  },
})

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

class Tally {
  readonly struck = new Map<string, number>()
  rounds = 0
  offered = 0
  stored = 0
  lost = 0
  doubled = 0
  unbillable = 0
  findings = 0

  strike(kind: string, times: number): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + times)
  }

  add(result: { offered: number; stored: number; lost: number; doubled: number; findings: string[] }): void {
    this.offered += result.offered
    this.stored += result.stored
    this.lost += result.lost
    this.doubled += result.doubled
    this.findings += result.findings.length
  }
}

async function main(): Promise<number> {
  if (values['without-safeguards']) return (await withoutSafeguards(say, positionals)) ? 0 : 1
  const server = await startServer()
  const tally = new Tally()
  try {
    if (values.round) await oneRound(Number(values.round), true)
    else await longRun()
  } finally {
    await server.remove()
  }
  if (!values.round) report()
  return tally.findings === 0 ? 0 : 1

  async function longRun(): Promise<void> {
    const seed = Number(values.seed)
    const until = performance.now() + Number(values.minutes) * 60_000
    await manyKills(seed)
    await longOutage()
    await poison(seed)
    for (let round = 1; round < ROUNDS_MAX && performance.now() < until; round++)
      await oneRound(seed * ROUNDS_MAX + round, false)
  }

  async function manyKills(seed: number): Promise<void> {
    const verdict = await killWhileRecording(server, randomOf(seed), KILLS)
    tally.add(verdict)
    tally.strike('kill while recording', KILLS)
    say(`${mark(verdict)} ${KILLS} kills while recording: ${verdict.promised} promised, ${verdict.stored} stored`)
    tell(verdict.findings)
  }

  async function longOutage(): Promise<void> {
    const result = await outage(server, OUTAGE)
    const { recorded, findings } = result
    tally.add({ offered: recorded, stored: recorded, lost: 0, doubled: 0, findings })
    tally.strike('PostgreSQL stopped', 1)
    const [early, last] = result.memoryBytes.map((bytes) => Math.round(bytes / 1024 ** 2))
    say(
      `${mark(result)} PostgreSQL away for ${OUTAGE.seconds} s at ${OUTAGE.perSecond} events/s: recordEvent took ` +
        `${result.medianMicroseconds.toFixed(1)} µs (median), ${result.p99Microseconds.toFixed(1)} µs (99 %), ` +
        `${result.slowestMilliseconds.toFixed(1)} ms at most; memory ${early} MB after 15 s, ${last} MB at the end; ` +
        `${result.backlogEvents} drained at ${Math.round(result.drainedPerSecond)}/s (to be over 50,000)`,
    )
    tell(findings)
  }

  async function poison(seed: number): Promise<void> {
    const { findings, stored, seconds } = await poisonAmong(server, randomOf(seed), POISONED_AMONG)
    tally.add({ offered: POISONED_AMONG, stored, lost: 0, doubled: 0, findings })
    tally.strike('poisoned event', 1)
    say(`${mark({ findings })} one poisoned among ${POISONED_AMONG}: ${stored} stored in ${seconds.toFixed(1)} s`)
    tell(findings)
  }

  async function oneRound(number: number, aloud: boolean): Promise<void> {
    const began = performance.now()
    const { verdict, struck, trail } = await playRound(server, number, Number(values.steps))
    tally.rounds += 1
    tally.add(verdict)
    tally.unbillable += verdict.unbillable
    for (const [kind, times] of struck) tally.strike(kind, times)
    const faults = [...struck.values()].reduce((sum, times) => sum + times, 0)
    const seconds = ((performance.now() - began) / 1_000).toFixed(1)
    say(`${mark(verdict)} round ${number}: ${verdict.offered} events, ${faults} faults, ${seconds} s`)
    if (aloud || verdict.findings.length > 0) for (const line of trail) say(`    ${line}`)
    tell(verdict.findings)
    if (verdict.findings.length > 0) say(`  again: npm run test:faults -- --round ${number} --steps ${values.steps}`)
  }

  function mark({ findings }: { findings: string[] }): string {
    return findings.length === 0 ? '✓' : '✗'
  }

  function tell(findings: string[]): void {
    for (const finding of findings) say(`  ✗ ${finding}`)
  }

  function report(): void {
    say('\nfaults injected')
    for (const [kind, times] of [...tally.struck].sort((a, b) => b[1] - a[1]))
      say(`  ${String(times).padStart(6)}  ${kind}`)
    const faults = [...tally.struck.values()].reduce((sum, times) => sum + times, 0)
    say(`  ${String(faults).padStart(6)}  in all, in ${tally.rounds} rounds`)
    say(`events recorded ${tally.offered}, stored ${tally.stored}, lost ${tally.lost}, doubled ${tally.doubled}`)
    say(`reports that no invoice could carry, and that say so: ${tally.unbillable}`)
    say(tally.findings === 0 ? 'All ledgers agree.' : `${tally.findings} disagreements.`)
  }
}

process.on('disconnect', () => process.exit(1))
main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
