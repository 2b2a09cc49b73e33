/** One run of text on a page. Points (1/72 inch) from the top left of an A4 sheet; `right` aligns its end to `x`. */
export interface TextRun {
  x: number
  y: number
  text: string
  size?: number
  bold?: boolean
  right?: boolean
}

const PAGE_WIDTH = 595
const PAGE_HEIGHT = 842

/** What the standard encoding of PDF's built-in fonts has beyond Latin-1. */
const WIN_ANSI: { [character: string]: number } = {
  '€': 0x80,
  '…': 0x85,
  '‘': 0x91,
  '’': 0x92,
  '“': 0x93,
  '”': 0x94,
  '•': 0x95,
  '–': 0x96,
  '—': 0x97,
  '‚': 0x82,
  ƒ: 0x83,
  '„': 0x84,
  '†': 0x86,
  '‰': 0x89,
  Š: 0x8a,
  '‹': 0x8b,
  Œ: 0x8c,
  Ž: 0x8e,
  '™': 0x99,
  š: 0x9a,
  '›': 0x9b,
  œ: 0x9c,
  ž: 0x9e,
  Ÿ: 0x9f,
}

/** Widths from the space on, in thousandths of the size, as Adobe's metrics of the two fonts give them. */
const REGULAR = widths(`
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556
1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556
333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584
`)
const BOLD = widths(`
278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 584 584 611
975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556
333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584
`)

/** Fonts that every reader of PDF brings along for the scripts of East Asia, with what they call UTF-16. */
const CID_FONTS: { [script in 'china' | 'japan' | 'korea']: { base: string; ordering: string; encoding: string } } = {
  china: { base: 'STSong-Light', ordering: 'GB1', encoding: 'UniGB-UTF16-H' },
  japan: { base: 'HeiseiKakuGo-W5', ordering: 'Japan1', encoding: 'UniJIS-UTF16-H' },
  korea: { base: 'HYGoThic-Medium', ordering: 'Korea1', encoding: 'UniKS-UTF16-H' },
}
type Script = keyof typeof CID_FONTS

/**
 * A PDF 1.4 document of text, one list of runs a page. No font is embedded: Latin script of all of Europe is Helvetica,
 * Chinese, Japanese, Korean, Greek and Cyrillic are the reader's own fonts. What neither has becomes "?".
 */
export function writePdf(title: string, pages: TextRun[][]): Uint8Array<ArrayBuffer> {
  const letters = new ExtendedLatin()
  const contents = pages.map((runs) => runs.map((run) => draw(run, letters)).join('\n'))
  const encoding = `<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [32 ${letters.names()}] >>`
  const helvetica = (weight: string, encodedBy: string) =>
    `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica${weight} /Encoding ${encodedBy} >>`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '', // the pages, whose numbers are not known yet
    helvetica('', '/WinAnsiEncoding'),
    helvetica('-Bold', '/WinAnsiEncoding'),
    `<< /Title <FEFF${utf16(title)}> /Producer (stripe-local) >>`,
    encoding,
    helvetica('', '6 0 R'),
    helvetica('-Bold', '6 0 R'),
  ]
  let fonts = '/F1 3 0 R /F2 4 0 R /F3 7 0 R /F4 8 0 R'
  for (const [script, font] of Object.entries(CID_FONTS)) {
    if (!contents.some((content) => content.includes(`/${script} `))) continue
    const at = objects.length + 1
    fonts += ` /${script} ${at} 0 R`
    objects.push(
      `<< /Type /Font /Subtype /Type0 /BaseFont /${font.base}-${font.encoding} /Encoding /${font.encoding} /DescendantFonts [${at + 1} 0 R] >>`,
      `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /${font.base} /DW 1000 /FontDescriptor ${at + 2} 0 R /CIDSystemInfo << /Registry (Adobe) /Ordering (${font.ordering}) /Supplement 2 >> >>`,
      `<< /Type /FontDescriptor /FontName /${font.base} /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>`,
    )
  }
  const kids: string[] = []
  for (const content of contents) {
    kids.push(`${objects.length + 1} 0 R`)
    const resources = `<< /Font << ${fonts} >> >>`
    objects.push(`<< /Type /Page /Parent 2 0 R /Resources ${resources} /Contents ${objects.length + 2} 0 R >>`)
    objects.push(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`)
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.join(' ')}] /Count ${pages.length} /MediaBox [0 0 ${PAGE_WIDTH} ${PAGE_HEIGHT}] >>`
  return assemble(objects)
}

/** Header, numbered objects, and the table that says at which byte each begins. */
function assemble(objects: string[]): Uint8Array<ArrayBuffer> {
  let file = '%PDF-1.4\n%\xE2\xE3\xCF\xD3\n'
  const offsets: number[] = []
  for (const [index, object] of objects.entries()) {
    offsets.push(file.length)
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
  }
  const start = file.length
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n${start}\n%%EOF\n`
  // Each character of the text is one byte of the file.
  return Uint8Array.from(file, (character) => character.charCodeAt(0))
}

function draw({ x, y, text, size = 10, bold = false, right = false }: TextRun, letters: ExtendedLatin): string {
  const parts = partsOf(text, letters)
  const width = parts.reduce((sum, part) => sum + part.thousandths[bold ? 1 : 0], 0)
  const from = right ? x - (width * size) / 1000 : x
  const fonts = { latin: bold ? 'F2' : 'F1', extended: bold ? 'F4' : 'F3' }
  const shown = parts.map(
    ({ font, written }) => `/${font in fonts ? fonts[font as 'latin'] : font} ${size} Tf ${written} Tj`,
  )
  return `BT ${from.toFixed(2)} ${(PAGE_HEIGHT - y).toFixed(2)} Td ${shown.join(' ')} ET`
}

/** A stretch of text in one font. `thousandths`: how wide it is, of the size, in the regular and in the bold cut. */
interface Part {
  font: 'latin' | 'extended' | Script
  written: string
  thousandths: [regular: number, bold: number]
}

function partsOf(text: string, letters: ExtendedLatin): Part[] {
  const parts: { font: Part['font']; characters: string[] }[] = []
  const han = scriptOf(text)
  for (const character of text.normalize('NFC').replaceAll('№', 'No.')) {
    const font = fontOf(character, han)
    const last = parts.at(-1)
    if (last?.font === font) last.characters.push(character)
    else parts.push({ font, characters: [character] })
  }
  return parts.map(({ font, characters }) => {
    if (font === 'latin') {
      const bytes = characters.map(winAnsi).join('')
      return { font, written: `(${quoted(bytes)})`, thousandths: [widthOf(bytes, REGULAR), widthOf(bytes, BOLD)] }
    }
    if (font === 'extended') {
      const bytes = characters.map((character) => letters.byteOf(character)).join('')
      const bare = characters.map((character) => bareLetter(character)).join('')
      return { font, written: `(${quoted(bytes)})`, thousandths: [widthOf(bare, REGULAR), widthOf(bare, BOLD)] }
    }
    const wide = characters.length * 1000
    return { font, written: `<${utf16(characters.join(''))}>`, thousandths: [wide, wide] }
  })
}

/** Whose Han characters these are; Chinese ones unless kana or Hangul stand beside them. */
function scriptOf(text: string): Script {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return 'japan'
  return /\p{Script=Hangul}/u.test(text) ? 'korea' : 'china'
}

const EAST_ASIAN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Greek}\p{Script=Cyrillic}\u3000-\u303F\uFF00-\uFFEF]/u

function fontOf(character: string, han: Script): Part['font'] {
  if (winAnsi(character) !== '?') return 'latin'
  if (glyphName(character)) return 'extended'
  return EAST_ASIAN.test(character) ? han : 'latin'
}

function winAnsi(character: string): string {
  const code = WIN_ANSI[character] ?? character.codePointAt(0) ?? 0
  const isGap = code >= 127 && code < 160 && !WIN_ANSI[character]
  return code >= 32 && code <= 255 && !isGap ? String.fromCharCode(code) : '?'
}

const SPECIAL: { [character: string]: string } = {
  Ł: 'Lslash',
  ł: 'lslash',
  Đ: 'Dcroat',
  đ: 'dcroat',
  ı: 'dotlessi',
  İ: 'Idotaccent',
  '−': 'minus',
}
const MARKS: { [mark: string]: string } = {
  '\u0301': 'acute',
  '\u0304': 'macron',
  '\u0306': 'breve',
  '\u0307': 'dotaccent',
  '\u030A': 'ring',
  '\u030B': 'hungarumlaut',
  '\u030C': 'caron',
  '\u0326': 'commaaccent',
  '\u0327': 'commaaccent',
  '\u0328': 'ogonek',
}

/** What Adobe calls a letter of the rest of Europe, e.g. `zdotaccent`; null for what Helvetica does not have. */
function glyphName(character: string): string | null {
  if (SPECIAL[character]) return SPECIAL[character]
  const [letter = '', mark = '', more] = character.normalize('NFD')
  if (more !== undefined || !/^[A-Za-z]$/.test(letter) || !MARKS[mark]) return null
  if (mark === '\u0327' && /[Ss]/.test(letter)) return `${letter}cedilla`
  return `${letter}${MARKS[mark]}`
}

function bareLetter(character: string): string {
  return character.normalize('NFD')[0]?.replace('Ł', 'L').replace('ł', 'l') ?? 'n'
}

/** Gives each letter that a document needs beyond Windows-1252 a byte of a second encoding. */
class ExtendedLatin {
  readonly #bytes = new Map<string, number>()

  byteOf(character: string): string {
    const known = this.#bytes.get(character)
    if (known !== undefined) return String.fromCharCode(known)
    if (this.#bytes.size >= 224) return '?'
    const byte = 32 + this.#bytes.size
    this.#bytes.set(character, byte)
    return String.fromCharCode(byte)
  }

  /** In the order of the bytes. */
  names(): string {
    return [...this.#bytes.keys()].map((character) => `/${glyphName(character)}`).join(' ')
  }
}

function widthOf(bytes: string, table: number[]): number {
  let thousandths = 0
  for (const byte of bytes) thousandths += table[byte.charCodeAt(0) - 32] ?? 556
  return thousandths
}

/** UTF-16, big end first, in hexadecimal. */
function utf16(text: string): string {
  let hex = ''
  for (let at = 0; at < text.length; at++) hex += text.charCodeAt(at).toString(16).padStart(4, '0').toUpperCase()
  return hex
}

function quoted(bytes: string): string {
  return bytes.replace(/[\\()]/g, (character) => `\\${character}`)
}

function widths(text: string): number[] {
  return text.trim().split(/\s+/).map(Number)
}
