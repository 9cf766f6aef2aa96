// A real product export in place of the invented catalogue: CSV (RFC 4180) with theLook's columns.
import { UsageError } from './options.ts'
import type { Product } from './catalogue.ts'

const columns = [
  'id',
  'cost',
  'category',
  'name',
  'brand',
  'retail_price',
  'department',
  'sku',
  'distribution_center_id',
] as const

/** Products of a CSV text whose first line names the columns, in any order. Throws UsageError naming the line. */
export function readProductsCsv(text: string): Product[] {
  const [header, ...records] = readRecords(text)
  const places = columns.map((column) => header?.indexOf(column) ?? -1)
  const missing = columns.filter((_, index) => places[index] === -1)
  if (missing.length > 0)
    throw new UsageError(`The product file needs a first line with the columns ${missing.join(', ')}.`)
  if (records.length === 0) throw new UsageError('The product file holds no products.')
  return records.map((record, index) => {
    const cells = places.map((place) => record[place] ?? '')
    const [id, cost, category, name, brand, price, department, sku, center] = cells as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    const number = (column: string, cell: string, whole: boolean) => {
      const value = Number(cell)
      if (cell.trim() !== '' && value >= 0 && (!whole || Number.isInteger(value))) return value
      throw new UsageError(`Product ${index + 1} of the file has ${column} "${cell}"; a number from 0 is due there.`)
    }
    return {
      id: number('id', id, true),
      category,
      name,
      brand,
      department,
      // Exports carry float noise (34.9900016); a price has cents.
      cents: Math.round(number('retail_price', price, false) * 100),
      costCents: Math.round(number('cost', cost, false) * 100),
      sku,
      distributionCenterId: number('distribution_center_id', center, true),
    }
  })
}

/** Records of a CSV text; quoted cells may hold commas, line ends and doubled quotes. Empty lines are left out. */
function readRecords(text: string): string[][] {
  const records: string[][] = []
  let cells: string[] = []
  let cell = ''
  let quoted = false
  const endRecord = () => {
    cells.push(cell)
    if (cells.length > 1 || cells[0] !== '') records.push(cells)
    cells = []
    cell = ''
  }
  for (let index = text.charCodeAt(0) === 0xfeff ? 1 : 0; index < text.length; index++) {
    const character = text[index]!
    if (quoted) {
      if (character !== '"') cell += character
      else if (text[index + 1] === '"') cell += text[++index]!
      else quoted = false
    } else if (character === '"') quoted = true
    else if (character === ',') {
      cells.push(cell)
      cell = ''
    } else if (character === '\n') endRecord()
    else if (character !== '\r') cell += character
  }
  endRecord()
  return records
}
