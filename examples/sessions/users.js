import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const hash = promisify(scrypt)

/** Stands for your database: name, salt, and the hash of the password. */
const users = new Map()

async function add(name, password) {
  const salt = randomBytes(16)
  users.set(name, { salt, hash: await hash(password, salt, 32) })
}

await add('ada', 'lovelace')
await add('grace', 'hopper')

/** Unknown names take as long as known ones. */
const nobody = { salt: randomBytes(16), hash: randomBytes(32) }

export async function isPasswordRight(name, password) {
  const user = users.get(name) ?? nobody
  return timingSafeEqual(await hash(password, user.salt, 32), user.hash)
}
