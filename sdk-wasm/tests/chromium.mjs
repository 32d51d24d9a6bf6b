// Launches a headless Chromium without background network traffic.
import { chromium } from 'playwright-core'

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

/** Launches Chromium with a new profile. `CHROMIUM` overrides Debian's path. */
export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS })

/**
 * Opens an address in a new page and runs `script` there. Returns its value and the page's
 * messages.
 */
export async function visit(browser, address, script, argument) {
  const page = await browser.newPage()
  const messages = []
  page.on('console', (message) => messages.push(message.text()))
  page.on('pageerror', (error) => messages.push(String(error)))
  try {
    await page.goto(address)
    return { value: await page.evaluate(script, argument), messages }
  } finally {
    await page.close()
  }
}
