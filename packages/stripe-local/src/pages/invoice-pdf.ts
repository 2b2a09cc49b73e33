import type { Statement } from './invoice-statement.ts'
import { type TextRun, writePdf } from './pdf.ts'

const LEFT = 56
const RIGHT = 539
const QUANTITY = 330
const UNIT_PRICE = 450
const FIRST_LINE = 250
const LAST_LINE = 740
/** Letters that fit before the quantity column, from there to the edge, and on a whole row of small print. */
const DESCRIPTION_WIDTH = 38
const ADDRESSEE_WIDTH = 36
const NOTE_WIDTH = 104

/** The invoice on paper; as many pages as its lines need. */
export function invoicePdf(statement: Statement): Uint8Array<ArrayBuffer> {
  const pages: TextRun[][] = [heading(statement)]
  let y = FIRST_LINE
  /** Room for a block of this height, on a new page when the current one is full. */
  const room = (height: number): TextRun[] => {
    if (y + height > LAST_LINE) {
      pages.push(columns(72))
      y = 96
    }
    return pages.at(-1) ?? []
  }

  for (const line of statement.lines) {
    const rows = wrap(line.description, DESCRIPTION_WIDTH)
    const runs = room(rows.length * 13 + 20)
    runs.push({ x: QUANTITY, y, text: line.quantity, right: true })
    runs.push({ x: UNIT_PRICE, y, text: line.unitPrice, right: true })
    runs.push({ x: RIGHT, y, text: line.amount, right: true })
    for (const row of rows) {
      runs.push({ x: LEFT, y, text: row })
      y += 13
    }
    if (line.period) runs.push({ x: LEFT, y, text: line.period, size: 8 })
    y += line.period ? 20 : 10
  }
  const runs = room(statement.totals.length * 16)
  for (const [label, amount] of statement.totals) {
    const bold = label === 'Amount due'
    runs.push({ x: UNIT_PRICE, y, text: label, right: true, bold }, { x: RIGHT, y, text: amount, right: true, bold })
    y += 16
  }
  for (const row of statement.notes.flatMap((note) => wrap(note, NOTE_WIDTH))) {
    y += 15
    room(15).push({ x: LEFT, y, text: row, size: 8 })
  }
  const many = pages.length
  for (const [index, page] of pages.entries()) {
    const words = [statement.number, many > 1 && `page ${index + 1} of ${many}`].filter(Boolean).join(' · ')
    page.push({ x: RIGHT, y: 806, text: words, size: 8, right: true })
  }
  return writePdf(`Invoice ${statement.number}`, pages)
}

function heading(statement: Statement): TextRun[] {
  const facts: Statement['facts'] = [
    ['Invoice number', statement.number],
    ['Status', statement.status],
    ...statement.facts,
  ]
  const addressee = statement.billedTo.flatMap((line) => wrap(line, ADDRESSEE_WIDTH)).slice(0, 7)
  return [
    { x: LEFT, y: 72, text: 'Invoice', size: 24, bold: true },
    { x: RIGHT, y: 72, text: statement.merchant, size: 14, bold: true, right: true },
    { x: RIGHT, y: 88, text: 'Local test mode: not a real invoice', size: 8, right: true },
    ...facts.flatMap(([label, value], index) => [
      { x: LEFT, y: 108 + index * 15, text: label },
      { x: LEFT + 96, y: 108 + index * 15, text: value, bold: index === 0 },
    ]),
    { x: QUANTITY, y: 108, text: 'Billed to', bold: true },
    ...addressee.map((text, index) => ({ x: QUANTITY, y: 123 + index * 15, text })),
    ...columns(FIRST_LINE - 24),
  ]
}

function columns(y: number): TextRun[] {
  return [
    { x: LEFT, y, text: 'Description', size: 8, bold: true },
    { x: QUANTITY, y, text: 'Quantity', size: 8, bold: true, right: true },
    { x: UNIT_PRICE, y, text: 'Unit price', size: 8, bold: true, right: true },
    { x: RIGHT, y, text: 'Amount', size: 8, bold: true, right: true },
  ]
}

/** Breaks between words, and inside of those that are longer than a row; a letter of East Asia is as wide as two. */
function wrap(text: string, width: number): string[] {
  const rows: string[] = []
  for (const word of text.split(' ').flatMap((long) => pieces(long, width))) {
    const row = rows.at(-1)
    if (row !== undefined && breadth(row) + breadth(word) < width) rows[rows.length - 1] = `${row} ${word}`
    else rows.push(word)
  }
  return rows
}

function pieces(word: string, width: number): string[] {
  const found: string[] = []
  for (const letter of word) {
    const last = found.at(-1)
    if (last !== undefined && breadth(last) + breadth(letter) <= width) found[found.length - 1] = last + letter
    else found.push(letter)
  }
  return found
}

function breadth(text: string): number {
  let letters = 0
  for (const letter of text) letters += (letter.codePointAt(0) ?? 0) >= 0x0370 ? 2 : 1
  return letters
}
