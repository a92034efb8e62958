/** `npm start`: installs what the demo needs and bundles it, each only where necessary, and runs it. */
import { isNodeNewEnough } from './node-version.mjs'

async function start() {
  const { endWithShell } = await import('./end-with-shell.mjs')
  endWithShell()
  const { installDemo } = await import('./install/install.mjs')
  if (!(await installDemo())) return
  const { bundleDemo } = await import('./bundle-demo.mjs')
  const bundle = await bundleDemo()
  // In this process, so that nothing stands between it and the signals. Its arguments are those of this script.
  if (bundle !== undefined) await import(bundle)
}

// No `await` here: an old Node has to be able to read this file.
if (isNodeNewEnough()) void start()
