/** The anchor that GitHub makes of a heading; the site makes the same, so that a link works in both. */
export const slug = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
