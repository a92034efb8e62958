/** The version of this copy, as in package.json: a bundler may leave that file behind. */
export const version = '0.1.0'
