// A fault of the surroundings that stops the start: its message is one sentence that says what to do.
export class StartError extends Error {
  override name = 'StartError'
}
