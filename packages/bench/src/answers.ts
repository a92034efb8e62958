/** What a child process sends back for each question. */
export type Reply<Answer> = { readonly answer: Answer } | { readonly failure: string }

/** Answers the questions of the parent process, one after the other, and ends with it. */
export function answerParent<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  const send = (reply: Reply<Answer>): boolean | undefined => process.send?.(reply)
  process.on('message', (question: Question) => {
    answer(question).then(
      (value) => send({ answer: value }),
      (error: Error) => send({ failure: error.stack ?? error.message })
    )
  })
  process.once('disconnect', () => process.exit())
}
