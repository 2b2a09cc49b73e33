import type pg from 'pg'

export interface SignedInDevice {
  id: string
  address: string | null
  userAgent: string | null
  signedInAt: Date
  lastSeenAt: Date
}

/** A user's sessions that have not expired, the latest used first; their tokens stay here. */
export async function sessionsOf(pool: pg.Pool, userId: string): Promise<SignedInDevice[]> {
  const { rows } = await pool.query<SignedInDevice>(
    /* sql */ `
      select id, "ipAddress" as address, "userAgent" as "userAgent",
             "createdAt" as "signedInAt", "updatedAt" as "lastSeenAt"
      from auth.session
      where "userId" = $1 and "expiresAt" > now() and "impersonatedBy" is null
      order by "updatedAt" desc, id`,
    [userId],
  )
  return rows
}

/** Ends one session of this user. @returns false when he has no such session */
export async function endSession(pool: pg.Pool, userId: string, sessionId: string): Promise<boolean> {
  const { rowCount } = await pool.query('delete from auth.session where "userId" = $1 and id::text = $2', [
    userId,
    sessionId,
  ])
  return rowCount === 1
}
