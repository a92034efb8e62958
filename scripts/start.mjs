/** `npm start`: installs what the demo needs, bundles it, both only if necessary, and runs it. */
import { isNodeNewEnough } from './node-version.mjs'

async function start() {
  const { endWithShell } = await import('./end-with-shell.mjs')
  endWithShell()
  const { installDemo } = await import('./install/install.mjs')
  if (!(await installDemo())) return
  const { bundleDemo } = await import('./bundle-demo.mjs')
  const bundle = await bundleDemo()
  // In this process, so that it gets signals directly. It has the arguments of this script.
  if (bundle !== undefined) await import(bundle)
}

// No top-level `await`: an old Node has to be able to parse this file.
if (isNodeNewEnough()) void start()
