// The shop's customers: a bounded pool of those who come back, and new ones who sign up.
import type { Geography, Place } from './geography.ts'
import { makeWeighted, type Random } from './random.ts'
import type { Gender, Sink } from './rows.ts'

/** What the simulation remembers of a customer. */
export interface Person {
  id: string
  gender: Gender
  place: Place
}

export interface People {
  /** A customer who comes back, or null while there is none. */
  draw(): Person | null
  /** Takes in customers whom the server already has. */
  welcome(known: readonly Person[]): void
  /** Registers a customer at a place; null at the limit of users. */
  register(atMs: number, gender: Gender, place: Place): Person | null
  canRegister(): boolean
  /** Registers customers of earlier years until there are this many in the pool. */
  fill(upTo: number, nowMs: number): void
  size(): number
}

const drawSource = makeWeighted(['Search', 'Organic', 'Facebook', 'Email', 'Display'], [0.7, 0.15, 0.06, 0.05, 0.04])
const dayMs = 86_400_000
const openingMs = Date.UTC(2019, 0, 1)

export function makePeople(
  dependencies: { random: Random; ids: Random; geography: Geography; sink: Sink },
  options: { usersMax: number; poolUsersMax: number },
): People {
  const { random, ids, geography, sink } = dependencies
  const pool: Person[] = []
  let users = 0

  function remember(person: Person): void {
    if (pool.length < options.poolUsersMax) pool.push(person)
    else pool[random.below(pool.length)] = person
  }

  function register(atMs: number, gender: Gender, place: Place): Person | null {
    if (users >= options.usersMax) return null
    users++
    const firstName = pick(random, gender === 'M' ? menNames : womenNames)
    const lastName = pick(random, lastNames)
    const id = ids.uuid(atMs)
    sink('users', {
      id,
      firstName,
      lastName,
      email: `${firstName}${lastName}`.toLowerCase() + '@example.' + pick(random, ['com', 'net', 'org']),
      age: 12 + random.below(59),
      gender,
      street: `${1 + random.below(980)} ${pick(random, streets)}`,
      place,
      trafficSource: drawSource(random),
      atMs,
    })
    const person = { id, gender, place }
    remember(person)
    return person
  }

  return {
    draw: () => pool[random.below(pool.length)] ?? null,
    welcome(known) {
      users += known.length
      known.forEach(remember)
    },
    register,
    canRegister: () => users < options.usersMax,
    fill(upTo, nowMs) {
      while (pool.length < Math.min(upTo, options.poolUsersMax)) {
        if (!register(earlier(random, nowMs), random.chance(0.5) ? 'M' : 'F', geography.draw(random))) return
      }
    },
    size: () => pool.length,
  }
}

/** 97.5 % on any day since the opening, the others in the last six days; from midnight to 19 h of that day. */
function earlier(random: Random, nowMs: number): number {
  const yesterday = Math.floor(nowMs / dayMs) - 1
  const day = random.chance(0.975)
    ? Math.floor(openingMs / dayMs) + random.below(yesterday - Math.floor(openingMs / dayMs) + 1)
    : yesterday - random.below(6)
  return day * dayMs + random.below(1_140) * 60_000 + random.below(60_000)
}

function pick(random: Random, words: readonly string[]): string {
  return words[random.below(words.length)]!
}

const menNames = (
  'Adam,Akira,Alan,Andre,Anton,Arthur,Ben,Bruno,Carlos,Chen,Daniel,David,Diego,Emil,Erik,Felix,Frank,Gabriel,George,Hao,' +
  'Henry,Hugo,Ivan,Jack,James,Jin,Joao,Jonas,Jose,Kenji,Leo,Liam,Lucas,Luis,Marc,Mateo,Min,Nico,Noah,Oliver,Oscar,Pablo,' +
  'Paul,Pedro,Rafael,Ryan,Samuel,Sven,Thomas,Tiago,Tom,Victor,Wei,William,Yong,Yusuf'
).split(',')
const womenNames = (
  'Alice,Amelie,Ana,Anna,Beatriz,Camila,Carla,Chloe,Clara,Diana,Elena,Elise,Emma,Eva,Fang,Grace,Hana,Helena,Ines,Iris,Isabel,' +
  'Jana,Jia,Julia,Karen,Kate,Laura,Lea,Li,Lin,Lucia,Mai,Maria,Marta,Mei,Mia,Min,Nina,Nora,Olga,Olivia,Paula,Rosa,Ruth,Sakura,' +
  'Sara,Sofia,Sophie,Teresa,Valentina,Vera,Xia,Yara,Yuna,Zoe'
).split(',')
const lastNames = (
  'Adams,Almeida,Andersson,Bauer,Becker,Bernard,Brown,Campos,Carter,Chen,Choi,Clark,Costa,Davis,Dubois,Evans,Fernandez,Ferreira,' +
  'Fischer,Garcia,Gomes,Green,Hall,Harris,Hernandez,Hoffmann,Huang,Hughes,Ito,Jackson,Janssen,Johnson,Jones,Jung,Kim,King,Kobayashi,' +
  'Kowalski,Lambert,Lee,Lewis,Lima,Lin,Liu,Lopez,Martin,Martinez,Meyer,Miller,Moore,Moreau,Morris,Nakamura,Nowak,Oliveira,Park,' +
  'Peeters,Pereira,Petit,Ramirez,Ribeiro,Roberts,Robinson,Rodriguez,Rossi,Roux,Sanchez,Santos,Sato,Schmidt,Schneider,Silva,Smith,' +
  'Souza,Suzuki,Taylor,Thomas,Torres,Walker,Wang,Watanabe,Weber,White,Williams,Wilson,Wright,Wu,Yamamoto,Yang,Young,Zhang,Zhao,Zhou'
).split(',')
const streets = (
  'Alder Street,Beacon Road,Cedar Avenue,Church Lane,Elm Street,Garden Road,Harbour Street,Hill Road,Lake Avenue,Linden Street,' +
  'Maple Avenue,Market Square,Mill Lane,North Street,Oak Avenue,Park Road,River Street,School Lane,South Street,Station Road'
).split(',')
