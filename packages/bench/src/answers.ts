/** A child process's reply to a question. */
export type Reply<Answer> = { readonly answer: Answer } | { readonly failure: string }

/** Answers the parent's questions one after the other, and exits with the parent. */
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
