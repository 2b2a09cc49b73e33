/** Factors of a power of ten that read well on an axis. */
const FACTORS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]
/** Spaces between the lines of a grid; the same for both axes, or their labels would not meet the lines. */
const SPACES = 4

/**
 * Five round numbers, evenly spaced from 0 to `max` or a little more.
 *
 * @param whole  for what comes in whole pieces only, such as cents
 */
export function evenTicks(max: number, whole: boolean): number[] {
  const step = niceStep(max / SPACES, whole)
  return Array.from({ length: SPACES + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

function niceStep(least: number, whole: boolean): number {
  if (!(least > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(least))
  const steps = FACTORS.map((factor) => factor * power).filter((step) => !whole || Number.isInteger(step))
  return steps.find((step) => step >= least * (1 - 1e-9)) ?? 1
}
