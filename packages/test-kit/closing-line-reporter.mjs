/** Prints the result alone on the last line; a suite that could not run counts as failed. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    const skipped = results.numPendingTests + results.numTodoTests
    // Jest's own summary comes after all other reporters.
    process.on('exit', () => {
      process.stderr.write(`\n${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`)
    })
  }
}
