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

/** A PDF 1.4 document of text in Helvetica, one list of runs a page. Characters outside of Windows-1252 become "?". */
export function writePdf(title: string, pages: TextRun[][]): Uint8Array<ArrayBuffer> {
  const kids = pages.map((_, index) => `${6 + index * 2} 0 R`).join(' ')
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} /MediaBox [0 0 ${PAGE_WIDTH} ${PAGE_HEIGHT}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>',
    `<< /Title (${quoted(encode(title))}) /Producer (stripe-local) >>`,
  ]
  for (const runs of pages) {
    const content = runs.map(draw).join('\n')
    const resources = '<< /Font << /F1 3 0 R /F2 4 0 R >> >>'
    objects.push(`<< /Type /Page /Parent 2 0 R /Resources ${resources} /Contents ${objects.length + 2} 0 R >>`)
    objects.push(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`)
  }
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

function draw({ x, y, text, size = 10, bold = false, right = false }: TextRun): string {
  const bytes = encode(text)
  const from = right ? x - widthOf(bytes, size, bold) : x
  return `BT /F${bold ? 2 : 1} ${size} Tf ${from.toFixed(2)} ${(PAGE_HEIGHT - y).toFixed(2)} Td (${quoted(bytes)}) Tj ET`
}

function widthOf(bytes: string, size: number, bold: boolean): number {
  const table = bold ? BOLD : REGULAR
  let thousandths = 0
  for (const byte of bytes) thousandths += table[byte.charCodeAt(0) - 32] ?? 556
  return (thousandths * size) / 1000
}

function encode(text: string): string {
  return Array.from(text, (character) => {
    const code = WIN_ANSI[character] ?? character.codePointAt(0) ?? 0
    return code >= 32 && code <= 255 ? String.fromCharCode(code) : '?'
  }).join('')
}

function quoted(bytes: string): string {
  return bytes.replace(/[\\()]/g, (character) => `\\${character}`)
}

function widths(text: string): number[] {
  return text.trim().split(/\s+/).map(Number)
}
