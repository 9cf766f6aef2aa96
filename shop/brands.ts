// Invented brand names, and how many products each has: a few large ones and a long tail.
import { brandStatistics } from './catalogue-table.ts'
import { type Random, shuffled } from './random.ts'

// Syllables that make words of no language in particular; three of them and a trade word keep clear of real brands.
const heads = 'Var,Quel,Tor,Mab,Zel,Brin,Osk,Ild,Fen,Gor,Hask,Jov,Kest,Lum,Nem,Prel,Rusk,Sith,Ulv,Wyr'.split(',')
const middles = 'a,ero,ima,olu,ende,ari,ubo,ithe,oma,ele,unda,iso'.split(',')
const tails = 'dric,mont,vale,sk,than,bri,lund,quist,rova,zeph,nock,telle'.split(',')
const trades = ',, Mill, Loom, & Thread, Atelier, Works, Cloth, Goods, Workshop'.split(',')

/** One brand for each of `count` products, in random order; a few products have none (''). */
export function makeBrands(random: Random, count: number): string[] {
  const { brands, productsWithout } = brandStatistics
  const names = inventNames(random, brands)
  const sizes = brandSizes(count - productsWithout, brands)
  const perProduct = sizes.flatMap((size, rank) => Array.from({ length: size }, () => names[rank]!))
  return shuffled([...perProduct, ...Array.from({ length: productsWithout }, () => '')], random)
}

function inventNames(random: Random, count: number): string[] {
  const names = new Set<string>()
  const pick = (words: readonly string[]) => words[random.below(words.length)]!
  while (names.size < count) names.add(pick(heads) + pick(middles) + pick(tails) + pick(trades))
  return [...names]
}

/** Products by brand, largest first: the measured three, then a power law whose exponent makes the sum right. */
function brandSizes(products: number, brands: number): number[] {
  const third = brandStatistics.largest[2]!
  const sizesFor = (exponent: number) =>
    Array.from({ length: brands }, (_, rank) =>
      rank < 3 ? brandStatistics.largest[rank]! : Math.max(1, Math.floor(third * (3 / (rank + 1)) ** exponent)),
    )
  const total = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0)
  let [low, high] = [0.1, 3]
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2
    if (total(sizesFor(middle)) > products) low = middle
    else high = middle
  }
  const sizes = sizesFor(high)
  const missing = products - total(sizes)
  for (let index = 0; index < missing; index++) sizes[3 + (index % (brands - 3))]!++
  return sizes
}
