export { LocalPostgresError } from './error.ts'
export { type LocalPostgres, type LocalPostgresOptions, startLocalPostgres } from './start.ts'
