// The invented catalogue and geography, held against the measured statistics.
import { describe, expect, test } from 'vitest'
import { brandStatistics, categories } from '../../shop/catalogue-table.ts'
import { type Product, syntheticProducts } from '../../shop/catalogue.ts'
import { countryShares, makeGeography } from '../../shop/geography.ts'
import { UsageError } from '../../shop/options.ts'
import { readProductsCsv } from '../../shop/products-csv.ts'
import { makeRandom } from '../../shop/random.ts'

const products = syntheticProducts()

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: number[]) => {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}
const prices = (of: readonly Product[]) => of.map((product) => product.cents / 100)

describe('the catalogue', () => {
  test('holds 29,120 products with ids from 1, Women first', () => {
    expect(products).toHaveLength(29_120)
    expect(products.map((product) => product.id)).toEqual(Array.from({ length: 29_120 }, (_, index) => index + 1))
    expect(products.slice(0, 15_989).every((product) => product.department === 'Women')).toBe(true)
    expect(products.slice(15_989).every((product) => product.department === 'Men')).toBe(true)
  })

  test.each(categories)('keeps count, mean, deviation, limits and cost ratio of $department $category', (category) => {
    const own = products.filter(
      (product) => product.department === category.department && product.category === category.category,
    )
    expect(own).toHaveLength(category.products)
    expect(mean(prices(own))).toBeCloseTo(category.mean, 0)
    expect(Math.abs(deviation(prices(own)) / category.deviation - 1)).toBeLessThan(0.12)
    expect(Math.min(...prices(own))).toBe(category.min)
    expect(Math.max(...prices(own))).toBe(category.max)
    const fits = ({ cents, costCents }: Product) =>
      costCents < cents && Math.abs(costCents - cents * category.costRatio) < 0.05 * cents + 2
    expect(own.filter((product) => !fits(product))).toEqual([])
  })

  test('keeps mean, quantiles and artefact prices of the whole', () => {
    const sorted = prices(products).sort((a, b) => a - b)
    const quantile = (share: number) => sorted[Math.floor(share * sorted.length)]!
    expect(mean(sorted)).toBeCloseTo(59.22, 1)
    expect(Math.abs(deviation(sorted) / 65.92 - 1)).toBeLessThan(0.05)
    for (const [share, price] of [
      [0.25, 24],
      [0.5, 39.99],
      [0.75, 69.95],
      [0.9, 129],
    ] as const) {
      expect(Math.abs(quantile(share) / price - 1)).toBeLessThan(0.1)
    }
    expect(sorted.filter((price) => price === 903)).toHaveLength(23)
    expect(sorted.filter((price) => price === 999)).toHaveLength(2)
  })

  test('prices most products as shops do', () => {
    const charmed = products.filter((product) => [0, 95, 98, 99].includes(product.cents % 100))
    expect(charmed.length / products.length).toBeGreaterThan(0.85)
  })

  test('has 2,756 brands of the measured sizes, and a few products without brand or name', () => {
    const sizes = new Map<string, number>()
    for (const { brand } of products) sizes.set(brand, (sizes.get(brand) ?? 0) + 1)
    expect(sizes.get('')).toBe(brandStatistics.productsWithout)
    sizes.delete('')
    expect(sizes.size).toBe(2_756)
    expect([...sizes.values()].sort((a, b) => b - a).slice(0, 3)).toEqual([1_034, 497, 388])
    expect(products.filter((product) => product.name === '')).toHaveLength(2)
  })

  test('gives each product a stock-keeping unit of its own and one of ten centres', () => {
    expect(new Set(products.map((product) => product.sku)).size).toBe(products.length)
    expect(products.every((product) => /^[0-9A-F]{32}$/.test(product.sku))).toBe(true)
    const chicago = products.filter((product) => product.distributionCenterId === 2).length
    expect(Math.abs(chicago / 3_929 - 1)).toBeLessThan(0.1)
    expect(new Set(products.map((product) => product.distributionCenterId)).size).toBe(10)
  })

  test('is the same for the same seed, and another for another', () => {
    expect(syntheticProducts()).toEqual(products)
    expect(syntheticProducts(2)[0]).not.toEqual(products[0])
  })
})

describe('a product file', () => {
  const header = 'id,cost,category,name,brand,retail_price,department,sku,distribution_center_id'

  test('is read with quoted cells, float noise and columns in any order', () => {
    const [product] = readProductsCsv(
      'name,brand,sku,id,cost,category,retail_price,department,distribution_center_id\r\n' +
        '"Tee, ""classic""",Lumerobri,AB,7,12.5900001,Tops & Tees,34.9900016784668,Men,3\r\n',
    )
    expect(product).toEqual({
      id: 7,
      name: 'Tee, "classic"',
      brand: 'Lumerobri',
      sku: 'AB',
      costCents: 1_259,
      cents: 3_499,
      category: 'Tops & Tees',
      department: 'Men',
      distributionCenterId: 3,
    })
  })

  test('with a fault is refused with the place of the fault', () => {
    expect(() => readProductsCsv('id,cost\n1,2\n')).toThrow(/columns category, name/)
    expect(() => readProductsCsv(`${header}\n1,x,A,B,C,2,Men,S,1\n`)).toThrow('Product 1 of the file has cost "x"')
    expect(() => readProductsCsv(`${header}\n`)).toThrow(UsageError)
  })
})

describe('the geography', () => {
  const geography = makeGeography()

  test('draws countries in the measured shares', () => {
    const random = makeRandom('geography')
    const draws = 200_000
    const counts = new Map<string, number>()
    for (let index = 0; index < draws; index++) {
      const { country } = geography.draw(random)
      counts.set(country, (counts.get(country) ?? 0) + 1)
    }
    for (const [country, percent] of Object.entries(countryShares)) {
      expect(Math.abs(((counts.get(country) ?? 0) / draws) * 100 - percent)).toBeLessThan(0.4)
    }
  })

  test('has a few hundred places with postal code and coordinates, each once', () => {
    expect(geography.places.length).toBeGreaterThan(250)
    for (const place of geography.places) {
      expect(place.postalCode).not.toBe('')
      expect(Math.abs(place.latitude)).toBeLessThan(90)
      expect(Math.abs(place.longitude)).toBeLessThan(180)
      expect(geography.find(place.country, place.city)).toBe(place)
    }
    expect(geography.places.reduce((sum, place) => sum + place.share, 0)).toBeCloseTo(1)
  })
})
