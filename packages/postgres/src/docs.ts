/** The address of the documentation, for links in messages. */
export const pages = 'https://github.com/oneport/oneport/blob/main/docs'
