// How Relay's own types and arguments are described, and what they cost: a connection's page is counted once.
const once = { field: 1, multiplier: 1 }

export const relayTexts = {
  clientMutationId: 'omit',
  cursorType: 'String',
  idFieldOptions: { description: 'Global id, for node(id).' },
  nodeTypeOptions: { description: 'An object with a global id (Relay).' },
  nodeQueryOptions: {
    description: 'An object by its global id; null where there is none (Relay).',
    args: { id: { description: 'Its global id.' } },
  },
  nodesQueryOptions: {
    description: 'Objects by their global ids, in that order; null where there is none (Relay).',
    args: { ids: { description: 'Their global ids.' } },
  },
  pageInfoTypeOptions: { description: 'Where a page lies in its connection (Relay).' },
  hasNextPageFieldOptions: { description: 'Whether more come after it.' },
  hasPreviousPageFieldOptions: { description: 'Whether more come before it.' },
  startCursorFieldOptions: { description: 'Cursor of its first edge; null on an empty page.' },
  endCursorFieldOptions: { description: 'Cursor of its last edge; null on an empty page.' },
  defaultConnectionTypeOptions: { description: 'A page of a connection (Relay).' },
  defaultEdgeTypeOptions: { description: 'An object in its connection (Relay).' },
  edgesFieldOptions: { description: 'The page, object by object, with cursors.', complexity: once },
  nodesOnConnection: { description: 'The page, without cursors.', complexity: once },
  nodeFieldOptions: { description: 'The object.' },
  cursorFieldOptions: { description: 'Its place: a page can begin after or before it.' },
  pageInfoFieldOptions: { description: 'Where the page lies.' },
  firstArgOptions: { description: 'So many from the start, or after `after`.' },
  lastArgOptions: { description: 'So many from the end, or before `before`.' },
  afterArgOptions: { description: 'Begin after this cursor.' },
  beforeArgOptions: { description: 'End before this cursor.' },
} as const
