/**
 * Runs the contract for each adapter on the runtime that runs this program. Prints a line for each case and a line for
 * each row of docs/runtimes.md; exits with 1 if a case has an unexpected result. `main.js all` runs the whole contract
 * instead of its short form.
 */
import { casesFor, judge } from './contract.ts'
import { facts } from './facts.ts'
import { Rows } from './rows.ts'
import { adapters } from './subjects.ts'

async function main(isWhole: boolean): Promise<void> {
  const rows = new Rows()
  for (const adapter of adapters) {
    for (const one of casesFor(adapter, isWhole)) {
      const name = `${adapter.name}: ${one.name}`
      const verdict = await judge(one)
      if (verdict.isExpected) {
        print(`${verdict.differs ? 'differs' : 'ok'} ${name}`)
        rows.add(name, verdict.differs)
      } else {
        print(`not ok ${name}: ${verdict.reason}`)
        process.exitCode = 1
      }
    }
  }
  for (const [row, answer] of rows) print(`row ${row} | ${answer}`)
  for (const [row, ask] of facts) print(`row ${row} | ${await ask()}`)
}

const print = (line: string): boolean => process.stdout.write(`${line.replaceAll('\n', ' ')}\n`)

main(process.argv[2] === 'all').then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  }
)
