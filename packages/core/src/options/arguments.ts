/** The arguments after the request and the response: `(handler)` or `(options, handler)`. */
export type HandlerArguments<Options, Handler> =
  | readonly [handler: Handler]
  | readonly [options: Options | undefined, handler: Handler]

/** Splits {@link HandlerArguments} by their number: in `(options, undefined)`, the handler is missing. */
export const splitArguments = <Options, Handler>(
  given: HandlerArguments<Options, Handler>
): [options: Options | undefined, handler: Handler] =>
  given.length === 1 ? [undefined, given[0]] : [given[0], given[1]]

/**
 * A function that can be given instead of options. It has none of them, and says so: for the union of the two, TypeScript
 * then suggests the right name for a misspelt option, in one error.
 */
export type Without<Options, Given> = Given & { readonly [Name in keyof Options]?: never }
