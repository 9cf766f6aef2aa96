// Products and distribution centres, as their upserts take them.
import type { DistributionCenterRow } from '../writer/tables/distributionCenters.ts'
import type { ProductRow } from '../writer/tables/products.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { FieldReader, type InputRow } from './row.ts'
import { key, money, number, text } from './rules.ts'

const price = money(8)
const TEXT_BYTES = 256

/** Checks a call's products; prices are not negative. */
export function checkProducts(inputs: readonly InputRow[], _: CheckContext): Checked<'products'> {
  const rows: ProductRow[] = []
  const rejected = checkEach(inputs, (row, index) => {
    const fields = new FieldReader(row)
    rows.push({
      index,
      id: fields.required('id', key),
      cost: fields.required('cost', price),
      category: fields.required('category', text(100)),
      name: fields.required('name', text(500)),
      brand: fields.required('brand', text(200)),
      retail_price: fields.required('retailPrice', price),
      department: fields.required('department', text(100)),
      sku: fields.required('sku', text(64)),
      distribution_center_id: fields.required('distributionCenterId', key),
    })
    return undefined
  })
  const bytes = rows.length * (ROW_OVERHEAD_BYTES + TEXT_BYTES)
  return { table: 'products', rows, rowCount: rows.length, bytes, rejected }
}

/** Checks a call's distribution centres. */
export function checkDistributionCenters(inputs: readonly InputRow[], _: CheckContext): Checked<'distributionCenters'> {
  const rows: DistributionCenterRow[] = []
  const rejected = checkEach(inputs, (row) => {
    const fields = new FieldReader(row)
    rows.push({
      id: fields.required('id', key),
      name: fields.required('name', text(200)),
      latitude: fields.required('latitude', number(-90, 90)),
      longitude: fields.required('longitude', number(-180, 180)),
    })
    return undefined
  })
  const bytes = rows.length * (ROW_OVERHEAD_BYTES + TEXT_BYTES)
  return { table: 'distributionCenters', rows, rowCount: rows.length, bytes, rejected }
}
