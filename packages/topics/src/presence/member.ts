/** Most characters of the ID of a member. */
export const longestId = 256

/** Most characters of a member as JSON. */
export const longestMember = 4_096
