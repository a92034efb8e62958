import { relative, sep } from 'node:path'
import { defineConfig } from 'vitepress'
import { root } from '../../../scripts/root.mjs'
import { readContents } from '../src/contents.mjs'
import { linkOn, notPages, placeOf, repositoryUrl, tagline } from '../src/pages.mjs'
import { slug } from '../src/slug.mjs'

const toItem = ({ file, items, text }) => ({
  text,
  link: linkOn('', file),
  ...(items.length > 0 ? { items: items.map(toItem), collapsed: true } : {})
})

/** Converts links between files of the repository into links between pages of the site. */
function rewriteLinks(md) {
  md.core.ruler.push('links-of-the-repository', ({ env, tokens }) => {
    const file = relative(root, env.realPath ?? env.path).replaceAll(sep, '/')
    for (const link of tokens.flatMap(({ children }) => children ?? [])) {
      if (link.type === 'link_open') link.attrSet('href', linkOn(file, link.attrGet('href')))
    }
  })
}

/** Renders pages with the Vue of this package. Vite would look for it next to docs. */
const vueOfThisPackage = {
  name: 'vue-of-this-package',
  enforce: 'pre',
  resolveId: (id, _importer, { ssr }) => (ssr && /^vue(?:\/|$)/.test(id) ? { id, external: true } : undefined)
}

/** Inlined in each page, so that browsers need no request for it. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2563eb"/>' +
  '<text x="16" y="21.5" font-family="system-ui" font-size="15" font-weight="700" text-anchor="middle" fill="#fff">101</text></svg>'

export default defineConfig({
  title: 'Oneport',
  description: tagline,
  lang: 'en',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  cleanUrls: true,
  srcDir: root,
  srcExclude: notPages,
  rewrites: placeOf,
  outDir: 'dist',
  cacheDir: 'node_modules/.cache/vitepress',
  vite: { plugins: [vueOfThisPackage] },
  markdown: {
    config: rewriteLinks,
    // The same anchors as on GitHub, so that links to headings work in both places.
    anchor: { slugify: slug },
    // Braces are text, as on GitHub.
    attrs: { disable: true },
    languageAlias: { caddy: 'nginx', haproxy: 'ini' }
  },
  transformPageData({ frontmatter, relativePath }) {
    if (relativePath === 'index.md') frontmatter.layout = 'home'
    if (relativePath.startsWith('api/')) Object.assign(frontmatter, { editLink: false, pageClass: 'reference' })
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'API', link: '/api/core' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'GitHub', link: repositoryUrl }
    ],
    sidebar: readContents().map(({ items, text }) => ({ text, items: items.map(toItem) })),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        detailedView: true,
        // Finds misspelt words, but not 405 for 403.
        miniSearch: { searchOptions: { fuzzy: (term) => (/\d/.test(term) ? false : 0.2) } }
      }
    },
    editLink: { pattern: `${repositoryUrl}/edit/main/:path`, text: 'Edit this page' }
  }
})
