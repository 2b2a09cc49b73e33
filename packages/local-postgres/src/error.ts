/** Why PostgreSQL cannot run here, in one message a person can act on. */
export class LocalPostgresError extends Error {
  override name = 'LocalPostgresError'
}
