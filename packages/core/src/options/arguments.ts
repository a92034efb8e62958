/** What stands behind the request and the response: `(handler)` or `(options, handler)`. */
export type HandlerArguments<Options, Handler> =
  | readonly [handler: Handler]
  | readonly [options: Options | undefined, handler: Handler]

/** Tells both forms of {@link HandlerArguments} apart, by their number: `(options, undefined)` has lost its handler. */
export const splitArguments = <Options, Handler>(
  given: HandlerArguments<Options, Handler>
): [options: Options | undefined, handler: Handler] =>
  given.length === 1 ? [undefined, given[0]] : [given[0], given[1]]
