/** What runs a program. */
export interface Runtime {
  readonly name: 'Bun' | 'Deno' | 'Node'
  readonly version: string
}

const { bun, deno, node } = process.versions as { bun?: string; deno?: string; node: string }

/** What runs this one. */
export const runtime: Runtime =
  bun !== undefined
    ? { name: 'Bun', version: bun }
    : deno !== undefined
      ? { name: 'Deno', version: deno }
      : { name: 'Node', version: node }
