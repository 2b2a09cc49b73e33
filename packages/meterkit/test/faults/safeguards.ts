export async function withoutSafeguards(_say: (line: string) => void): Promise<boolean> {
  return true
}
