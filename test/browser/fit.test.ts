// What every reader needs: no sideways scrolling, no barrier, no weight that is not carried, no leak.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually, setStage, type Stage } from './kit.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
  for (let n = 0; n < 30; n++) await stage.shop.order('19.90', { country: n % 3 === 0 ? 'Japan' : 'Germany' })
  await stage.shop.events(
    ...Array.from({ length: 40 }, (_, n) => ['page_view', 'product', 'purchase', 'error'][n % 4]!),
  )
  await stage.shop.send('recordUserMetrics', 'metrics', [{ userId: stage.shop.userId, pageViews: 4, duration: 90 }])
  await stage.shop.message('SUCCESS', 'A title', 'averyveryverylongwordthatnobodybroke'.repeat(8))
  await stage.shop.message('WARNING', 'Another title', 'and what there is to say about it')
})
afterAll(() => stage?.close())

async function settled(page: Page): Promise<void> {
  await page.locator('[data-metric="REVENUE"] data').waitFor()
  await page.locator('[data-panel="traffic"] svg.apexcharts-svg').waitFor()
  await page.locator('[data-panel="order-items"] tr[data-item]').first().waitFor()
}

describe('the page', () => {
  for (const width of [320, 390, 768, 1440])
    it(`does not scroll sideways at ${width} px`, async () => {
      const { page, complaints } = await stage.visit('/', { viewport: { width, height: 844 } })
      await settled(page)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      expect(complaints).toEqual([])
      await page.close()
    })

  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const violations = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe)
    return page.evaluate(`axe.run({ runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.failureSummary + ' ' + node.html).join(' | ')))`)
  }
  for (const theme of ['light', 'dark'])
    it(`has no barrier that axe can find, in ${theme}`, async () => {
      // Rows that have just come in fade; reduced motion shows them as they stay.
      const { page } = await stage.visit(`/?theme=${theme}`, { reducedMotion: 'reduce' })
      await settled(page)
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Traffic as a table' }).click()
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Pause' }).click()
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Help' }).click()
      await page.getByRole('dialog').getByText('Order items').first().waitFor()
      expect(await violations(page)).toEqual([])
      await page.close()
    })

  it('has no barrier on a phone either', async () => {
    const options = { viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' } as const
    const { page } = await stage.visit('/?theme=dark', options)
    await settled(page)
    expect(await violations(page)).toEqual([])
    await page.close()
  })

  it('does not grow with every update: nodes and listeners are flat', async () => {
    const { page } = await stage.visit('/?window=1m')
    await settled(page)
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    const measure = async () => {
      await session.send('HeapProfiler.collectGarbage')
      const { metrics } = await session.send('Performance.getMetrics')
      const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0
      return { nodes: of('Nodes'), listeners: of('JSEventListeners') }
    }
    const second = () => page.locator('[data-panel="ingest"] [data-fact="uptime"] dd').innerText()
    const updates = async (times: number) => {
      for (let n = 0; n < times; n++) {
        const before = await second()
        await stage.shop.events('page_view')
        await eventually(second).not.toBe(before)
      }
    }
    await updates(6)
    const before = await measure()
    await updates(12)
    const after = await measure()
    expect(after.nodes).toBeLessThan(before.nodes * 1.1)
    expect(after.listeners).toBeLessThan(before.listeners * 1.1 + 10)
    await page.close()
  })
})

describe('the built files', () => {
  it('keep within their budgets', async () => {
    const assets = join(inject('projectDir'), 'dist/public/assets')
    const html = await readFile(join(assets, '../index.html'), 'utf8')
    const files = await Promise.all(
      (await readdir(assets)).map(async (name) => {
        const content = await readFile(join(assets, name))
        return { name, kB: (name.endsWith('.woff2') ? content : gzipSync(content)).length / 1000 }
      }),
    )
    const sum = (fits: (name: string) => boolean) =>
      files.filter(({ name }) => fits(name)).reduce((total, { kB }) => total + kB, 0)
    const isScript = (name: string) => name.endsWith('.js')
    expect(sum((name) => isScript(name) && html.includes(name))).toBeLessThan(130)
    expect(sum((name) => isScript(name) && name.startsWith('apexcharts'))).toBeLessThan(160)
    expect(sum((name) => isScript(name) && name.startsWith('apexcharts'))).toBeGreaterThan(0)
    expect(sum(isScript)).toBeLessThan(350)
    expect(sum((name) => name.endsWith('.css'))).toBeLessThan(20)
    expect(sum((name) => name.endsWith('.woff2'))).toBeLessThan(60)
  })

  it('start without inline script, so that a strict content security policy can hold', async () => {
    const html = await readFile(join(inject('projectDir'), 'dist/public/index.html'), 'utf8')
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/)
    expect(html).not.toMatch(/\son\w+=/)
    expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org)/)
  })
})
