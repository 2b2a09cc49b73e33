import type pg from 'pg'

/** Verb and noun, e.g. `user.impersonate`; the audit page filters by them. */
export type AuditAction =
  | 'admin.sign_in'
  | 'user.impersonate'
  | 'user.stop_impersonating'
  | 'user.ban'
  | 'user.unban'
  | 'user.set_role'
  | 'organization.create'
  | 'organization.rename'
  | 'organization.invite'
  | 'organization.set_role'
  | 'organization.remove_member'
  | 'subscription.create'
  | 'subscription.switch'
  | 'subscription.cancel'
  | 'subscription.resume'
  | 'event.retry'
  | 'event.void'
  | 'webhook.replay'
  | 'usage.sync'
  | 'usage.reconcile'
  | 'usage.mend'

export interface AuditEntry {
  /** Null: the app itself. */
  actor: { id: string; email: string } | null
  action: AuditAction
  /** What it was done to: an id, a slug, an address. */
  object: string
  detail?: Record<string, unknown>
}

export interface AuditRow {
  id: string
  at: Date
  actorId: string | null
  actorEmail: string | null
  action: AuditAction
  object: string
  detail: Record<string, unknown>
}

/** Writes down who did what. What is not written down is not done: a failure is the caller's failure. */
export async function audit({ pool }: { pool: pg.Pool }, { actor, action, object, detail }: AuditEntry): Promise<void> {
  await pool.query(
    'insert into app.audit_log (actor_id, actor_email, action, object, detail) values ($1, $2, $3, $4, $5)',
    [actor?.id ?? null, actor?.email ?? null, action, object, JSON.stringify(detail ?? {})],
  )
}

/** Newest first; `before` is the id of the last row already seen. */
export async function auditTrail(
  { pool }: { pool: pg.Pool },
  { search = '', before = null, limit = 50 }: { search?: string; before?: string | null; limit?: number } = {},
): Promise<{ rows: AuditRow[]; total: number; next: string | null }> {
  const matches = /* sql */ `($1::text = '' or concat_ws(' ', actor_email, action, object) ilike '%' || $1 || '%')`
  const { rows } = await pool.query<AuditRow>(
    /* sql */ `
      select id, at, actor_id as "actorId", actor_email as "actorEmail", action, object, detail
      from app.audit_log
      where ${matches} and ($2::bigint is null or id < $2)
      order by id desc
      limit $3::int + 1`,
    [search, before, limit],
  )
  const counted = await pool.query<{ total: number }>(
    `select count(*)::int as total from app.audit_log where ${matches}`,
    [search],
  )
  const page = rows.slice(0, limit)
  return { rows: page, total: counted.rows[0]!.total, next: rows.length > limit ? page.at(-1)!.id : null }
}
