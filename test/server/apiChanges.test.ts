// What callers rely on: nothing they may use goes away or changes its meaning, and connections are as Relay says. The baseline is
// the schema as it was last promised; a change that breaks on purpose renews it: cp schema.graphql test/server/apiBaseline.graphql.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  getNamedType,
  type GraphQLObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isOutputType,
} from 'graphql'
import { expect, inject, test } from 'vitest'

const schemaOf = (path: string) => buildSchema(readFileSync(join(inject('projectDir'), path), 'utf8'))
const baseline = schemaOf('test/server/apiBaseline.graphql')
const schema = schemaOf('schema.graphql')

test('nothing breaks that a caller may rely on', () => {
  expect(findBreakingChanges(baseline, schema).map(({ description }) => description)).toEqual([])
})

test('no default changes, which callers rely on without saying so', () => {
  const changes = findDangerousChanges(baseline, schema).filter(({ type }) => type === 'ARG_DEFAULT_VALUE_CHANGE')
  expect(changes.map(({ description }) => description)).toEqual([])
})

const objects = Object.values(schema.getTypeMap()).filter(isObjectType)
const connections = objects.filter(({ name }) => name.endsWith('Connection'))
const typeOf = (type: GraphQLObjectType, field: string) => String(type.getFields()[field]?.type)

test('connections, edges and pages are as Relay says', () => {
  expect(connections.length).toBeGreaterThan(10)
  for (const connection of connections) {
    expect([connection.name, typeOf(connection, 'pageInfo')]).toEqual([connection.name, 'PageInfo!'])
    const edges = connection.getFields().edges!.type
    expect(isListType(isNonNullType(edges) ? edges.ofType : edges)).toBe(true)
    const edge = getNamedType(edges) as GraphQLObjectType
    expect(edge.name).toMatch(/Edge$/)
    expect(typeOf(edge, 'cursor')).toBe('String!')
    expect(isOutputType(edge.getFields().node!.type)).toBe(true)
  }
  const page = schema.getType('PageInfo') as GraphQLObjectType
  expect(['hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor'].map((field) => typeOf(page, field))).toEqual([
    'Boolean!',
    'Boolean!',
    'String',
    'String',
  ])
})

test('every field that answers a connection takes the arguments of Relay', () => {
  for (const object of objects) {
    for (const field of Object.values(object.getFields())) {
      if (!getNamedType(field.type).name.endsWith('Connection')) continue
      const args = Object.fromEntries(field.args.map(({ name, type }) => [name, String(type)]))
      expect([object.name, field.name, args]).toMatchObject([
        object.name,
        field.name,
        { first: 'Int', after: 'String', last: 'Int', before: 'String' },
      ])
    }
  }
})

test('what has an id of its own is a node', () => {
  const node = schema.getType('Node')
  const withId = objects.filter((object) => typeOf(object, 'id') === 'ID!')
  expect(withId.length).toBeGreaterThan(5)
  for (const object of withId) expect(object.getInterfaces()).toContain(node)
})
