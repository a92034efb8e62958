/** The anchor of a heading, the same as on GitHub, so that links work in both places. */
export const slug = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
