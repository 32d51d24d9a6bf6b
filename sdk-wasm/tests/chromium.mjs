// A headless Chromium that talks to nobody but the tests.
import { chromium } from 'playwright-core'

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

/** Starts it with a profile of its own. `CHROMIUM` is where it is, unless where Debian puts it. */
export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS })

/** Opens an address in a page of its own, runs `script` there, and gives what it gives and what the page said. */
export async function visit(browser, address, script, argument) {
  const page = await browser.newPage()
  const said = []
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', (error) => said.push(String(error)))
  try {
    await page.goto(address)
    return { value: await page.evaluate(script, argument), said }
  } finally {
    await page.close()
  }
}
