import { chromium } from '@oneport/kit'
import { openChromium } from './chromium.ts'
import { firefox, openFirefox } from './firefox.ts'
import { openWebKit, webkit } from './webkit.ts'

/** The browsers that can lose their network: the name of each, its program, and what opens it. */
export const onlineBrowsers = [
  ['Chromium', chromium, openChromium],
  ['Firefox', firefox, openFirefox]
] as const

/** All browsers of the tests. */
export const browsers = [...onlineBrowsers, ['WebKit', webkit, openWebKit]] as const
