/** Prints bytes (latin1) so that people can read them and programs can parse them: `⟨a*8000⟩` stands for a run. */
export const show = (text: string): string =>
  text
    .replace(/(.{1,8}?)\1{15,}/gs, (run, unit: string) => `⟨${unit}*${run.length / unit.length}⟩`)
    .replace(/[^ -[\]-~⟨⟩]/g, (one) => escapes[one] ?? `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`)

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\r': '\\r', '\n': '\\n\n    ', '\t': '\\t' }
