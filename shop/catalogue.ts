// The shop's catalogue: 29,120 invented products whose prices, costs, brands and centres keep the measured statistics.
import { makeBrands } from './brands.ts'
import {
  categories,
  type CategoryStatistics,
  type DistributionCenter,
  distributionCenters,
  productsWithoutName,
} from './catalogue-table.ts'
import { makeRandom, makeWeighted, type Random, shuffled } from './random.ts'

export interface Product {
  id: number
  category: string
  /** Empty where the catalogue has none. */
  name: string
  /** Empty where the catalogue has none. */
  brand: string
  department: string
  /** Retail price and cost in cents. */
  cents: number
  costCents: number
  sku: string
  distributionCenterId: number
}

export interface Catalogue {
  products: readonly Product[]
  centers: readonly DistributionCenter[]
  /** Those of one department: what a buyer of that gender looks at. */
  ofDepartment(department: 'Men' | 'Women'): readonly Product[]
}

export function makeCatalogue(products: readonly Product[]): Catalogue {
  const men = products.filter((product) => product.department === 'Men')
  const women = products.filter((product) => product.department === 'Women')
  const orAll = (own: Product[]) => (own.length > 0 ? own : products)
  return {
    products,
    centers: distributionCenters,
    ofDepartment: (department) => (department === 'Men' ? orAll(men) : orAll(women)),
  }
}

/** The same 29,120 products for the same seed, ids from 1, Women first. */
export function syntheticProducts(seed: string | number = 'catalogue'): Product[] {
  const random = makeRandom(`products ${seed}`)
  const count = categories.reduce((sum, category) => sum + category.products, 0)
  const brands = makeBrands(random, count)
  const withoutName = new Set(Array.from({ length: productsWithoutName }, () => random.below(count)))
  const drawCenter = makeWeighted(
    distributionCenters.map((center) => center.id),
    distributionCenters.map((center) => center.share),
  )
  const products: Product[] = []
  for (const category of categories) {
    const nouns = category.nouns.split(',')
    for (const cents of drawPrices(category, random)) {
      const index = products.length
      const ratio = category.costRatio + random.between(-0.05, 0.05)
      products.push({
        id: index + 1,
        category: category.category,
        name: withoutName.has(index) ? '' : inventName(brands[index]!, category.department, nouns, random),
        brand: brands[index]!,
        department: category.department,
        cents,
        costCents: Math.max(1, Math.min(cents - 1, Math.round(cents * ratio))),
        sku: Array.from({ length: 4 }, () => random.bits().toString(16).padStart(8, '0'))
          .join('')
          .toUpperCase(),
        distributionCenterId: drawCenter(random),
      })
    }
  }
  return products
}

/**
 * Prices in cents of one category: a log-normal whose mean and deviation are those left when the few products at an
 * artefact price are set aside, taken at evenly spread ranks (so that small categories keep their mean too).
 */
function drawPrices(category: CategoryStatistics, random: Random): number[] {
  const { products, mean, deviation, min, max } = category
  const fixed = [min, max, ...Array.from({ length: max === 903 ? category.at903 - 1 : category.at903 }, () => 903)]
  const count = products - fixed.length
  const bodyMean = (products * mean - sum(fixed)) / count
  const spread = products * deviation ** 2 - sum(fixed.map((price) => (price - mean) ** 2))
  const variance = Math.max(spread / count - (bodyMean - mean) ** 2, (0.3 * bodyMean) ** 2)
  const sigma = Math.sqrt(Math.log(1 + variance / bodyMean ** 2))
  const ranks = Array.from({ length: count }, (_, rank) => Math.exp(sigma * normalQuantile((rank + 0.5) / count)))
  const clip = (price: number) => Math.min(Math.max(price, min), Math.min(max, 899))
  let scale = bodyMean / (sum(ranks) / count)
  for (let round = 0; round < 20; round++) scale *= bodyMean / (sum(ranks.map((rank) => clip(rank * scale))) / count)
  const body = ranks.map((rank) => clip(charmPrice(clip(rank * scale), random)))
  return shuffled([...fixed, ...body], random).map((price) => Math.round(price * 100))
}

const drawEnding = makeWeighted([0.99, 0.95, 0, 0.98, null], [0.36, 0.22, 0.25, 0.09, 0.08])

/** The nearest price below or above that ends as shop prices do. */
function charmPrice(price: number, random: Random): number {
  const ending = drawEnding(random)
  return ending === null ? price : Math.round(price - ending) + ending
}

const adjectives =
  'Classic,Vintage,Everyday,Soft,Tailored,Relaxed,Striped,Textured,Brushed,Ribbed,Modern,Heritage'.split(',')
const materials = 'Cotton,Linen,Merino,Denim,Jersey,Twill,Fleece,Bamboo,Satin,Canvas,Modal,Flannel'.split(',')

function inventName(brand: string, department: string, nouns: readonly string[], random: Random): string {
  const pick = (words: readonly string[]) => words[random.below(words.length)]!
  return `${brand} ${department}'s ${pick(adjectives)} ${pick(materials)} ${pick(nouns)}`.trim()
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

// Inverse of the normal distribution function: Acklam's rational approximation, relative error below 1.2e-9.
function normalQuantile(share: number): number {
  const tail = 0.02425
  if (share > 1 - tail) return -normalQuantile(1 - share)
  if (share < tail) {
    const q = Math.sqrt(-2 * Math.log(share))
    return (
      polynomial(
        q,
        [
          -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
          2.938163982698783,
        ],
      ) / polynomial(q, [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1])
    )
  }
  const q = share - 0.5
  const r = q * q
  return (
    (q *
      polynomial(
        r,
        [
          -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
          2.506628277459239,
        ],
      )) /
    polynomial(r, [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1])
  )
}

function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((value, coefficient) => value * x + coefficient, 0)
}
