// The plainest form of a document, for what is done for that form alone.
import { type DocumentNode, type FieldNode, Kind, type OperationDefinitionNode } from 'graphql'

/** The operation of a document and its field, where there is one of each and no fragment. */
export function onlyFieldOf({
  definitions: [operation, ...others],
}: DocumentNode): { operation: OperationDefinitionNode; field: FieldNode } | undefined {
  if (operation?.kind !== Kind.OPERATION_DEFINITION || others.length > 0) return undefined
  const [field, ...fields] = operation.selectionSet.selections
  return field?.kind === Kind.FIELD && fields.length === 0 ? { operation, field } : undefined
}
