/** Something does not agree, was refused or failed. */
export const FAILED = 1
export const WRONG_USAGE = 2

/** What was asked for cannot be meant so. */
export class UsageError extends Error {}

/** The command has done its work, and what it found is not well. */
export function notWell(): void {
  process.exitCode = FAILED
}
