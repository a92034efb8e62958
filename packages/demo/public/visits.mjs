/** Whoever is back so soon, in milliseconds, has not left: a page was loaded again, or a process of the server died. */
const backMs = 1_000

/** Tells who joins and who leaves. */
export class Visits {
  #onVisit
  /** When this page came, by the clock of the server. */
  #from
  #here = new Set()
  /** Timers of those who seem to have left. */
  #leaving = new Map()

  /** @param onVisit called with a nickname, and whether they have joined */
  constructor(onVisit) {
    this.#onVisit = onVisit
  }

  /**
   * @param members who is in the room: nicknames, and since when
   * @param me the own nickname
   */
  update(members, me) {
    this.#from ??= members.find(({ nickname }) => nickname === me)?.since
    if (this.#from === undefined) return
    for (const { nickname, since } of members) {
      clearTimeout(this.#leaving.get(nickname))
      this.#leaving.delete(nickname)
      if (this.#here.has(nickname)) continue
      this.#here.add(nickname)
      if (since > this.#from) this.#onVisit(nickname, true)
    }
    for (const nickname of this.#here) {
      if (this.#leaving.has(nickname) || members.some((member) => member.nickname === nickname)) continue
      this.#leaving.set(
        nickname,
        setTimeout(() => this.#left(nickname), backMs)
      )
    }
  }

  close() {
    for (const timer of this.#leaving.values()) clearTimeout(timer)
  }

  #left(nickname) {
    this.#leaving.delete(nickname)
    this.#here.delete(nickname)
    this.#onVisit(nickname, false)
  }
}
