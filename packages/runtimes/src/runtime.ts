export interface Runtime {
  readonly name: 'Bun' | 'Deno' | 'Node'
  readonly version: string
}

const { bun, deno, node } = process.versions as { bun?: string; deno?: string; node: string }

/** The runtime that runs this program. */
export const runtime: Runtime =
  bun !== undefined
    ? { name: 'Bun', version: bun }
    : deno !== undefined
      ? { name: 'Deno', version: deno }
      : { name: 'Node', version: node }
