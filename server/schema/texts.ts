// Enum values from their descriptions, as Pothos takes them.

/** Values of an enum, each with its description. */
export const textsOf = <Name extends string>(texts: Record<Name, string>) =>
  Object.fromEntries(Object.entries(texts).map(([name, description]) => [name, { description }])) as {
    [Value in Name]: { description: string }
  }
