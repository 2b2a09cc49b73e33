export type Language = 'ts' | 'sh' | 'json' | 'sql' | 'text'

export interface Token {
  kind: 'comment' | 'string' | 'number' | 'keyword' | 'key' | 'plain'
  text: string
}

const tsWords =
  'import|from|export|const|let|function|async|await|return|if|else|for|of|in|new|type|interface|default|true|false|null|undefined|satisfies|throw'
const sqlWords =
  'select|from|where|update|set|insert|into|values|and|or|not|null|is|order|by|group|limit|delete|join|on|as|returning'

/** For each language the parts that are coloured, tried in this order at every position. */
const patterns: Record<Exclude<Language, 'text'>, [Token['kind'], string][]> = {
  ts: [
    ['comment', String.raw`//[^\n]*|/\*[\s\S]*?\*/`],
    ['string', String.raw`'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\x60(?:[^\x60\\]|\\.)*\x60`],
    ['keyword', String.raw`\b(?:${tsWords})\b`],
    ['number', String.raw`\b\d[\d_]*(?:\.\d+)?n?\b`],
  ],
  sh: [
    ['comment', String.raw`(?<=^|\s)#[^\n]*`],
    ['string', String.raw`'[^']*'|"(?:[^"\\]|\\.)*"`],
    ['keyword', String.raw`(?<=^|\n)(?:npm|npx|git|cd|stripe|meterkit|curl|export)\b`],
  ],
  json: [
    ['key', String.raw`"(?:[^"\\]|\\.)*"(?=\s*:)`],
    ['string', String.raw`"(?:[^"\\]|\\.)*"`],
    ['number', String.raw`-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b`],
    ['keyword', String.raw`\b(?:true|false|null)\b`],
  ],
  sql: [
    ['comment', String.raw`--[^\n]*`],
    ['string', "'(?:[^']|'')*'"],
    ['keyword', String.raw`\b(?:${sqlWords}|${sqlWords.toUpperCase()})\b`],
    ['number', String.raw`\b\d+(?:\.\d+)?\b`],
  ],
}

/** Cuts a text into coloured and plain parts; joined they are the text again. */
export function tokenize(text: string, language: Language): Token[] {
  if (language === 'text') return [{ kind: 'plain', text }]
  const kinds = patterns[language]
  const any = new RegExp(kinds.map(([, source]) => `(${source})`).join('|'), 'g')
  const tokens: Token[] = []
  let end = 0
  for (const match of text.matchAll(any)) {
    if (match.index > end) tokens.push({ kind: 'plain', text: text.slice(end, match.index) })
    const group = match.slice(1).findIndex((part) => part !== undefined)
    tokens.push({ kind: kinds[group]?.[0] ?? 'plain', text: match[0] })
    end = match.index + match[0].length
  }
  if (end < text.length) tokens.push({ kind: 'plain', text: text.slice(end) })
  return tokens
}
