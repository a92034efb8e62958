/** Where the pages are that messages point to. */
export const pages = 'https://github.com/oneport/oneport/blob/main/docs'
