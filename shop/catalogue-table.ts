// The catalogue's measurements: 36 department and category pairs, brands and distribution centres. Data alone.

export interface CategoryStatistics {
  department: 'Men' | 'Women'
  category: string
  products: number
  /** Retail price in dollars. */
  mean: number
  deviation: number
  min: number
  max: number
  /** Cost as a share of the price; a product's own lies within 0.05 of it. */
  costRatio: number
  /** Products at the artefact price of $903.00. */
  at903: number
  /** What the things are called, for invented names. */
  nouns: string
}

const men = (...row: Row) => statistics('Men', row)
const women = (...row: Row) => statistics('Women', row)
type Row = [string, number, number, number, number, number, number, number, string]

function statistics(department: 'Men' | 'Women', row: Row): CategoryStatistics {
  const [category, products, mean, deviation, min, max, costRatio, at903, nouns] = row
  return { department, category, products, mean, deviation, min, max, costRatio, at903, nouns }
}

/** In the order of the product ids. */
export const categories: readonly CategoryStatistics[] = [
  women('Intimates', 2363, 33.71, 30.14, 1.75, 903, 0.5306, 1, 'Bralette,Brief,Camisole,Slip,Bra'),
  women('Dresses', 955, 84.2, 81.34, 7.99, 498, 0.4513, 0, 'Wrap Dress,Shift Dress,Maxi Dress,Shirt Dress'),
  women(
    'Maternity',
    898,
    50.8,
    37.36,
    1.98,
    275,
    0.4415,
    0,
    'Maternity Top,Maternity Dress,Nursing Tank,Maternity Jean',
  ),
  women('Fashion Hoodies & Sweatshirts', 895, 49.14, 29.52, 8.88, 288, 0.4705, 0, 'Hoodie,Sweatshirt,Zip Hoodie'),
  women('Swim', 892, 65.66, 43.13, 5.95, 288, 0.4209, 0, 'Swimsuit,Bikini Top,Tankini,Board Short'),
  women('Jeans', 882, 93.66, 59.04, 12, 326, 0.5412, 0, 'Skinny Jean,Bootcut Jean,Straight Jean,Flare Jean'),
  women('Sleep & Lounge', 830, 48.15, 34.94, 2.99, 360, 0.601, 0, 'Pajama Set,Robe,Nightgown,Lounge Pant'),
  women('Shorts', 826, 40.8, 32.16, 4.99, 246, 0.5003, 0, 'Denim Short,Bermuda Short,Linen Short'),
  women('Tops & Tees', 784, 40.08, 36.53, 3.11, 285, 0.5589, 0, 'Tee,Tunic,Blouse,Tank Top'),
  women('Plus', 758, 38.43, 51.02, 1.82, 903, 0.5008, 2, 'Plus Top,Plus Dress,Plus Pant'),
  women('Accessories', 739, 43.55, 50.87, 0.02, 299, 0.4007, 0, 'Scarf,Belt,Sunglasses,Hat,Glove'),
  women('Sweaters', 738, 72.24, 62.77, 5.99, 588, 0.449, 0, 'Cardigan,Pullover,Turtleneck,Sweater'),
  women('Active', 679, 53.93, 87.13, 1.95, 903, 0.4202, 6, 'Sports Bra,Running Tight,Training Tank,Yoga Pant'),
  women('Socks & Hosiery', 666, 16.76, 11.29, 1.95, 159.95, 0.4013, 0, 'Tights,Ankle Sock,Knee Sock,Stocking'),
  women('Pants & Capris', 613, 54.71, 58.76, 7.92, 895, 0.531, 0, 'Capri,Trouser,Chino,Wide-Leg Pant'),
  women('Outerwear & Coats', 592, 141.47, 129.94, 10.51, 903, 0.4495, 3, 'Trench Coat,Parka,Down Jacket,Wool Coat'),
  women('Leggings', 564, 27.15, 34.05, 4.99, 528.81, 0.6, 0, 'Legging,Footless Legging,Printed Legging'),
  women('Blazers & Jackets', 561, 92.6, 92.25, 7.68, 698, 0.38, 0, 'Blazer,Moto Jacket,Cropped Jacket'),
  women('Skirts', 367, 52.33, 61.52, 6.49, 598, 0.3998, 0, 'Pencil Skirt,Maxi Skirt,Pleated Skirt'),
  women('Suits', 188, 116.16, 46.29, 13.99, 239.72, 0.6046, 0, 'Skirt Suit,Pant Suit'),
  women('Jumpsuits & Rompers', 162, 45.42, 62.33, 8.74, 550, 0.5288, 0, 'Jumpsuit,Romper'),
  women('Clothing Sets', 37, 84.84, 42.27, 19.99, 199.95, 0.6183, 0, 'Two-Piece Set,Twin Set'),
  men('Jeans', 1117, 101.16, 67.24, 9.99, 389, 0.5316, 0, 'Relaxed Jean,Slim Jean,Carpenter Jean,Straight Jean'),
  men('Underwear', 1088, 27.16, 14.99, 5.99, 283.34, 0.4703, 0, 'Boxer Brief,Trunk,Boxer,Undershirt'),
  men('Tops & Tees', 1084, 42.25, 30.3, 5, 268, 0.5608, 0, 'Crew Tee,Polo,Henley,V-Neck Tee'),
  men('Pants', 1041, 59.81, 38.33, 9.99, 293.33, 0.459, 0, 'Chino,Cargo Pant,Dress Pant,Work Pant'),
  men('Sweaters', 999, 77.59, 55.65, 9, 349.98, 0.5004, 0, 'Crewneck Sweater,Cardigan,Quarter-Zip,Vest'),
  men('Fashion Hoodies & Sweatshirts', 971, 58.32, 41.18, 10.43, 903, 0.5503, 1, 'Hoodie,Sweatshirt,Zip Hoodie'),
  men('Sleep & Lounge', 941, 50.16, 46.6, 6.99, 399.95, 0.3993, 0, 'Pajama Pant,Robe,Lounge Short'),
  men('Shorts', 939, 50.14, 55.4, 7.9, 999, 0.5008, 1, 'Cargo Short,Chino Short,Hybrid Short'),
  men('Swim', 906, 50.09, 24.31, 12.9, 274.99, 0.6005, 0, 'Swim Trunk,Boardshort,Rash Guard'),
  men('Socks', 905, 20.42, 43.04, 2.99, 903, 0.6023, 2, 'Crew Sock,Dress Sock,Ankle Sock,Hiking Sock'),
  men('Outerwear & Coats', 828, 149.27, 143.88, 11.99, 999, 0.4421, 4, 'Parka,Rain Jacket,Peacoat,Softshell Jacket'),
  men('Accessories', 820, 41.68, 45.63, 1.5, 296.45, 0.4007, 0, 'Wallet,Belt,Cap,Sunglasses,Tie'),
  men('Active', 753, 47.63, 63.55, 5, 903, 0.4207, 3, 'Training Short,Track Pant,Running Tee,Base Layer'),
  men('Suits & Sport Coats', 739, 126.56, 98.77, 9.99, 698, 0.4007, 0, 'Two-Button Suit,Sport Coat,Suit Vest'),
]

export interface DistributionCenter {
  id: number
  name: string
  latitude: number
  longitude: number
  /** Share of the products kept there. */
  share: number
}

export const distributionCenters: readonly DistributionCenter[] = [
  { id: 1, name: 'Memphis TN', latitude: 35.1174, longitude: -89.9711, share: 0.1285 },
  { id: 2, name: 'Chicago IL', latitude: 41.8369, longitude: -87.6847, share: 3929 / 29120 },
  { id: 3, name: 'Houston TX', latitude: 29.7604, longitude: -95.3698, share: 0.1265 },
  { id: 4, name: 'Los Angeles CA', latitude: 34.05, longitude: -118.25, share: 0.1045 },
  { id: 5, name: 'New Orleans LA', latitude: 29.95, longitude: -90.0667, share: 0.077 },
  { id: 6, name: 'Port Authority of New York/New Jersey NY/NJ', latitude: 40.634, longitude: -73.7834, share: 0.0945 },
  { id: 7, name: 'Philadelphia PA', latitude: 39.95, longitude: -75.1667, share: 0.0925 },
  { id: 8, name: 'Mobile AL', latitude: 30.6944, longitude: -88.0431, share: 0.0905 },
  { id: 9, name: 'Charleston SC', latitude: 32.7833, longitude: -79.9333, share: 0.0905 },
  { id: 10, name: 'Savannah GA', latitude: 32.0167, longitude: -81.1167, share: 0.0605 },
]

export const brandStatistics = { brands: 2756, largest: [1034, 497, 388], productsWithout: 24 }
export const productsWithoutName = 2
