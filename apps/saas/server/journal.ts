/** Past it `recordEvent` refuses: hours without a database, at thousands of events a second. */
export const JOURNAL_BYTES_MAX = 1024 * 1024 * 1024
