/** `cus_NffrFeUfNV2Hib` → `cus_Nff…2Hib`: a prefix says what it is, the end tells it from its neighbours. */
export function shortenMiddle(text: string, start = 7, end = 4): string {
  return text.length <= start + end + 2 ? text : `${text.slice(0, start)}…${text.slice(-end)}`
}
