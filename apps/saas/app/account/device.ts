/** A browser and a system, as far as a User-Agent header tells: "Firefox on Linux". */
export function deviceName(userAgent: string | null): string {
  if (!userAgent) return 'Unknown device'
  const browser = first(browsers, userAgent) ?? 'Unknown browser'
  const system = first(systems, userAgent)
  return system ? `${browser} on ${system}` : browser
}

/** Most claim to be others, too: whoever is claimed least comes first. */
const browsers: [pattern: RegExp, name: string][] = [
  [/HeadlessChrome/, 'Headless Chrome'],
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/curl\//, 'curl'],
  [/^node/, 'Node.js'],
]

const systems: [pattern: RegExp, name: string][] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
]

function first(names: [pattern: RegExp, name: string][], text: string): string | undefined {
  return names.find(([pattern]) => pattern.test(text))?.[1]
}
