import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../random.ts'
import { AppGone } from './app.ts'
import type { Flooded, Use } from './app-process.ts'
import { missingFrom, type Verdict, verdictOf } from './checker.ts'
import { newLedger } from './ledger.ts'
import type { Server } from './server.ts'
import { comesTrue, openStage, type Stage } from './stage.ts'

/*
 * The faults that need a stage of their own, in a size of the caller's choice: small among the tests, large in the long
 * run.
 */

const HOUR_MS = 3_600_000

/** Kills the recording process at random moments; then the period ends, and everything is compared. */
export async function killWhileRecording(
  server: Server,
  random: Random,
  kills: number,
): Promise<Verdict & { promised: number }> {
  const stage = await openStage(server, { apps: 1 })
  const ledger = newLedger()
  try {
    const payer = await stage.subscribe('acme', 'essential')
    for (let kill = 0; kill < kills; kill++) {
      const app = await stage.revive(stage.apps[0]!)
      const recording = recordUntilGone(stage, kill)
      await sleep(random.whole(5, 150))
      await app.kill()
      await recording
    }
    const app = await stage.revive(stage.apps[0]!)
    await app.ask('drained')
    await stage.pass(32 * 24 * HOUR_MS)
    await app.ask('sync', {})
    await stage.pass(3 * HOUR_MS)
    await stage.stripeLocal.idle()
    await app.ask('sync', {})
    const verdict = await verdictOf(stage, [payer], ledger)
    verdict.findings.unshift(...stage.findings)
    return { ...verdict, promised: stage.durable.size }

    async function recordUntilGone({ apps }: Stage, kill: number): Promise<void> {
      try {
        for (let burst = 0; ; burst++) {
          const uses = Array.from({ length: 20 }, (_, index) => use(`${kill}-${burst}-${index}`))
          for (const one of uses) {
            ledger.uses.set(one.ref, one)
            ledger.taken.add(one.ref)
          }
          await apps[0]!.ask('record', uses)
        }
      } catch (error) {
        if (!(error instanceof AppGone)) throw error
      }
    }
    function use(ref: string): Use {
      const { customerId, subscriptionId } = payer
      return { ref, customerId, subscriptionId, quantity: String(random.whole(1, 900)), at: null, key: null }
    }
  } finally {
    await stage.close()
  }
}

export interface Outage extends Flooded {
  findings: string[]
  /** Waiting in the journal when PostgreSQL came back. */
  backlogEvents: number
  drainedPerSecond: number
}

/** PostgreSQL is stopped while events come at a steady rate; it comes back when the last has been recorded. */
export async function outage(
  server: Server,
  { seconds, perSecond }: { seconds: number; perSecond: number },
): Promise<Outage> {
  const stage = await openStage(server, { apps: 1 })
  try {
    const { customerId, subscriptionId } = await stage.subscribe('acme', 'essential')
    const [app] = stage.apps
    const flooding = app!.ask('flood', { customerId, subscriptionId, events: seconds * perSecond, perSecond })
    await sleep(300)
    await server.stop()
    const flooded = await flooding
    const before = await app!.ask('pipeline')
    await server.start()
    const { perSecond: drainedPerSecond } = await app!.ask('drain')
    const after = await app!.ask('pipeline')
    const { stored, lost } = await missingFrom(stage.pool, stage.durable)
    const findings = [...stage.findings]
    if (stored !== flooded.recorded) findings.push(`${flooded.recorded} were recorded and ${stored} are stored`)
    if (stage.durable.size !== flooded.recorded)
      findings.push(`${flooded.recorded} were recorded and ${stage.durable.size} became durable`)
    if (lost.length > 0) findings.push(`${lost.length} were promised and are lost`)
    if (after.duplicates > 0) findings.push(`${after.duplicates} were offered twice`)
    const backlogEvents = before.recorded - before.stored
    return { ...flooded, findings, backlogEvents, drainedPerSecond }
  } finally {
    await server.start()
    await stage.close()
  }
}

export interface Poisoned {
  findings: string[]
  stored: number
  seconds: number
}

/** One event that the database refuses, somewhere among many: it is set aside and shown, the others pass. */
export async function poisonAmong(server: Server, random: Random, events: number): Promise<Poisoned> {
  const stage = await openStage(server, { apps: 1 })
  try {
    const { customerId, subscriptionId } = await stage.subscribe('acme', 'essential')
    const began = performance.now()
    const poisonedAt = random.whole(0, events - 1)
    await stage.apps[0]!.ask('flood', { customerId, subscriptionId, events, perSecond: null, poisonedAt })
    await stage.apps[0]!.ask('drained')
    const seconds = (performance.now() - began) / 1_000

    const { lost, stored } = await missingFrom(stage.pool, stage.durable)
    const { rows } = await stage.pool.query<{ id: string; error: string }>(
      'select id, error from billing.set_aside_events',
    )
    const findings = [...stage.findings]
    if (stored !== events - 1) findings.push(`${events} were recorded, one of them poisoned, and ${stored} are stored`)
    if (!(await comesTrue(() => stage.durable.size === events))) findings.push(`${stage.durable.size} became durable`)
    if (rows.length !== 1 || !rows[0]!.error.includes('violates check constraint "unpoisoned"'))
      findings.push(`set aside are ${JSON.stringify(rows)}`)
    if (lost.join() !== rows.map((row) => row.id).join()) findings.push(`${lost.length} were promised and are lost`)
    return { findings, stored, seconds }
  } finally {
    await stage.close()
  }
}
