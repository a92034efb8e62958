/** The version in package.json, which a bundler may leave out. */
export const version = '0.1.0'
