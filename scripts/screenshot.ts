// A picture of the running dashboard, as the README shows it:
// node --import tsx scripts/screenshot.ts <url> <file.png> [--width 1440] [--height 900] [--theme light|dark] [--full] [--settle 4000]
import { parseArgs } from 'node:util'
import { openBrowser } from './browser.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    width: { type: 'string', default: '1440' },
    height: { type: 'string', default: '900' },
    theme: { type: 'string', default: 'light' },
    window: { type: 'string', default: '5m' },
    /** The whole page, not only what fits. */
    full: { type: 'boolean', default: false },
    /** How long to watch before the picture is taken, in ms: charts need a second or two of life. */
    settle: { type: 'string', default: '4000' },
  },
})
const [url, file] = positionals
if (!url || !file) {
  console.error('Usage: screenshot.ts <url> <file.png> [--width 1440] [--height 900] [--theme light|dark] [--full]')
  process.exit(2)
}

const browser = await openBrowser()
try {
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height) },
    deviceScaleFactor: 2,
  })
  const address = new URL(url)
  address.searchParams.set('theme', values.theme)
  address.searchParams.set('window', values.window)
  await page.goto(address.href)
  await page.locator('[data-metric="REVENUE"] data').waitFor({ timeout: 15_000 })
  await page.waitForTimeout(Number(values.settle))
  await page.screenshot({ path: file, fullPage: values.full })
} finally {
  await browser.close()
}
