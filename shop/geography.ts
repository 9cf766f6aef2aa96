// Where customers live: a place drawn by its country's share, then by its inhabitants.
import { makeWeighted, type Random } from './random.ts'
import { placesByCountry } from './places.ts'

export interface Place {
  country: string
  state: string
  city: string
  postalCode: string
  latitude: number
  longitude: number
  /** Share of all customers, from 0 to 1. */
  share: number
}

/** Shares of customers by country in %; theLook's España and Deutschland are counted as Spain and Germany. */
export const countryShares: Record<string, number> = {
  China: 33.92,
  'United States': 22.53,
  Brasil: 14.56,
  'South Korea': 5.34,
  France: 4.71,
  'United Kingdom': 4.61,
  Germany: 4.171,
  Spain: 4.022,
  Japan: 2.45,
  Australia: 2.18,
  Belgium: 1.25,
  Poland: 0.24,
  Colombia: 0.013,
  Austria: 0.003,
}

export interface Geography {
  places: readonly Place[]
  draw(random: Random): Place
  /** The place of these names, or null. */
  find(country: string | null, city: string | null): Place | null
}

export function makeGeography(): Geography {
  const total = Object.values(countryShares).reduce((sum, share) => sum + share, 0)
  const places = Object.entries(placesByCountry).flatMap(([country, lines]) =>
    readPlaces(country, lines, countryShares[country]! / total),
  )
  const byName = new Map(places.map((place) => [`${place.country}|${place.city}`, place]))
  return {
    places,
    draw: makeWeighted(
      places,
      places.map((place) => place.share),
    ),
    find: (country, city) => byName.get(`${country}|${city}`) ?? null,
  }
}

function readPlaces(country: string, lines: string, countryShare: number): Place[] {
  const cells = lines
    .trim()
    .split('\n')
    .map((line) => line.split('|') as [string, string, string, string, string, string])
  const inhabitants = cells.reduce((sum, row) => sum + Number(row[5]), 0)
  return cells.map(([state, city, postalCode, latitude, longitude, thousands]) => ({
    country,
    state,
    city,
    postalCode,
    latitude: Number(latitude),
    longitude: Number(longitude),
    share: (countryShare * Number(thousands)) / inhabitants,
  }))
}
