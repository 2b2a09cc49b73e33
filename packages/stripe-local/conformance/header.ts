/** A header of an answer, whichever HTTP client the SDK uses. */
export function header(answer: { lastResponse: { headers: object } }, name: string): string | null {
  return new Headers(answer.lastResponse.headers as Headers).get(name)
}
