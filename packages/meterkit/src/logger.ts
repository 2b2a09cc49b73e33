/** Log lines carry ids of events and reports, never secrets. pino fits as it is. */
export interface Logger {
  info: (facts: object, message: string) => void
  warn: (facts: object, message: string) => void
  error: (facts: object, message: string) => void
}
