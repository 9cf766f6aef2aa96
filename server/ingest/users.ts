// Users: theLook's columns, as registerUsers takes them.
import { USER_COLUMNS } from '../writer/tables/users.ts'
import { checkEach, type CheckContext, type Checked, ROW_OVERHEAD_BYTES } from './checked.ts'
import { type Field, makeLineCheck, optional, optionalText, required, requiredText } from './line.ts'
import type { InputRow } from './row.ts'
import { number, oneOf, Refusal, whole } from './rules.ts'

type UserColumn = (typeof USER_COLUMNS)[number]

const AGE_YEARS_MAX = 130

const FIELDS: Record<Exclude<UserColumn, 'id' | 'created_at'>, Field> = {
  first_name: requiredText('firstName', 100),
  last_name: requiredText('lastName', 100),
  email: requiredText('email', 320),
  age: required('age', whole(0, AGE_YEARS_MAX)),
  gender: required('gender', oneOf('M', 'F')),
  street_address: optionalText('streetAddress', 200),
  city: optionalText('city', 100),
  state: optionalText('state', 100),
  postal_code: optionalText('postalCode', 32),
  country: requiredText('country', 100),
  latitude: optional('latitude', number(-90, 90)),
  longitude: optional('longitude', number(-180, 180)),
  traffic_source: requiredText('trafficSource', 100),
}

/** Makes the check of a call's users. They may be of any age: their table is not dropped by day. */
export function makeUserCheck(): (rows: readonly InputRow[], context: CheckContext) => Checked<'users'> {
  const checkLine = makeLineCheck({ columns: USER_COLUMNS, fields: FIELDS, timeName: 'createdAt', idName: 'id' })

  return (inputs, context) => {
    const lines: string[] = []
    const givenIds: (string | null)[] = []
    let bytes = 0

    const rejected = checkEach(inputs, (row) => {
      const line = checkLine(row, context)
      if (line instanceof Refusal) return line
      lines.push(line.text)
      givenIds.push(line.givenId)
      bytes += line.text.length + ROW_OVERHEAD_BYTES
    })
    return { table: 'users', rows: { lines, givenIds }, rowCount: lines.length, bytes, rejected }
  }
}
