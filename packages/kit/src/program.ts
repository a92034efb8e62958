/** A system program that tests run. */
export interface Program {
  readonly path: string
  /** The Debian package that contains it. */
  readonly aptPackage: string
}
