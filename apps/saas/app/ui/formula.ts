/** A line of arithmetic that a narrow page breaks anywhere but inside `15,000 × $0.50`. */
export function unbroken(formula: string): string {
  return formula.replaceAll(' × ', '\u00a0×\u00a0')
}
