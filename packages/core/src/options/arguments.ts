/** The arguments after the request and the response: `(handler)` or `(options, handler)`. */
export type HandlerArguments<Options, Handler> =
  | readonly [handler: Handler]
  | readonly [options: Options | undefined, handler: Handler]

/** Splits {@link HandlerArguments} by their number: in `(options, undefined)`, the handler is missing. */
export const splitArguments = <Options, Handler>(
  given: HandlerArguments<Options, Handler>
): [options: Options | undefined, handler: Handler] =>
  given.length === 1 ? [undefined, given[0]] : [given[0], given[1]]
