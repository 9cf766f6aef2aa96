// How large a document may be once its fragments are expanded: depth and aliases, as one validation rule.
import { type DocumentNode, GraphQLError, Kind, type SelectionSetNode, type ValidationRule } from 'graphql'

interface Extent {
  depth: number
  aliases: number
}

/** The extent of each operation, fragments counted at every place they are used. Introspection has rules of its own. */
export function measureDocument(document: DocumentNode): Extent {
  const fragments = new Map<string, SelectionSetNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition.selectionSet)
  }
  // One look a fragment, however often it is spread: expanding them one by one could take for ever.
  const known = new Map<string, Extent>()

  function measure(set: SelectionSetNode, inside: readonly string[]): Extent {
    const extent = { depth: 0, aliases: 0 }
    const add = ({ depth, aliases }: Extent, level = 0) => {
      extent.depth = Math.max(extent.depth, depth + level)
      extent.aliases += aliases
    }
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) add(measureFragment(selection.name.value, inside))
      else if (selection.kind === Kind.INLINE_FRAGMENT) add(measure(selection.selectionSet, inside))
      else {
        if (selection.alias) extent.aliases += 1
        const isIntrospection = selection.name.value.startsWith('__')
        if (!selection.selectionSet || isIntrospection) add({ depth: 1, aliases: 0 })
        else add(measure(selection.selectionSet, inside), 1)
      }
    }
    return extent
  }

  function measureFragment(name: string, inside: readonly string[]): Extent {
    const set = fragments.get(name)
    // A fragment that is missing or spreads itself is refused by GraphQL's own rules.
    if (!set || inside.includes(name)) return { depth: 0, aliases: 0 }
    const extent = known.get(name) ?? measure(set, [...inside, name])
    known.set(name, extent)
    return extent
  }

  const extents = document.definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? measure(definition.selectionSet, []) : { depth: 0, aliases: 0 },
  )
  return {
    depth: Math.max(0, ...extents.map(({ depth }) => depth)),
    aliases: Math.max(0, ...extents.map(({ aliases }) => aliases)),
  }
}

/** Refuses documents that are too deep or have too many aliases. */
export const makeExtentRule =
  ({ depthMax, aliasesMax }: { depthMax: number; aliasesMax: number }): ValidationRule =>
  (context) => ({
    Document(document) {
      const { depth, aliases } = measureDocument(document)
      if (depth > depthMax) {
        context.reportError(new GraphQLError(`The operation is ${depth} levels deep; ${depthMax} are allowed.`))
      }
      if (aliases > aliasesMax) {
        context.reportError(new GraphQLError(`The operation has ${aliases} aliases; ${aliasesMax} are allowed.`))
      }
    },
  })
