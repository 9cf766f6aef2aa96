import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, setStage, type Stage } from './kit.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage?.close())

describe('an empty shop', () => {
  it('shows zeros where they are true, and elsewhere how to send the first rows', async () => {
    const { page, card, panel } = await stage.visit()
    await eventually(() => card('ORDERS')).toBe(0)
    expect(await card('REVENUE')).toBe(0)
    expect(await panel('order-items').innerText()).toContain('placeOrders')
    expect(await panel('engagement').innerText()).toContain('recordUserMetrics')
    expect(await panel('traffic').innerText()).toContain('trackEvents')
    await page.close()
  })
})

describe('what comes in', () => {
  it('is shown by skeletons, never by a number, before it is known', async () => {
    const page = await stage.browser.newPage({ viewport: { width: 1440, height: 900 } })
    let open = () => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    await page.routeWebSocket(/graphql/, (socket) => {
      const server = socket.connectToServer()
      socket.onMessage(async (message) => {
        await opened
        server.send(message)
      })
    })
    await page.goto(stage.wire.url)
    await page.locator('[data-metric="REVENUE"] .skeleton').first().waitFor()
    expect(await page.locator('[data-metric] data').count()).toBe(0)
    expect(await page.locator('[data-panel="traffic"] [aria-busy="true"]').count()).toBe(1)
    expect(await page.locator('main').innerText()).not.toMatch(/\d,\d|\$\d/)
    open()
    await page.locator('[data-metric="REVENUE"] data').waitFor()
    expect(await page.locator('[data-metric] .skeleton').count()).toBe(0)
    await page.close()
  })

  it('is on the page without loading it again: cards, breakdowns, seconds, rows', async () => {
    const { page, card, panel, complaints, hosts } = await stage.visit()
    await eventually(() => card('REVENUE')).toBe(0)

    await stage.shop.order('100.25')
    await stage.shop.order('40.50', { country: 'Japan' })
    await stage.shop.order('9.25')
    await stage.shop.events('page_view', 'page_view', 'product', 'purchase', 'error')
    await stage.shop.send('recordUserMetrics', 'metrics', [{ userId: stage.shop.userId, pageViews: 4, duration: 90 }])

    await eventually(() => card('REVENUE')).toBe(150)
    await eventually(() => card('ORDERS')).toBe(3)
    await eventually(() => card('ORDER_ITEMS')).toBe(3)
    await eventually(() => card('PAGE_VIEWS')).toBe(3)
    await eventually(() => card('PURCHASES')).toBe(1)
    await eventually(() => card('ERRORS')).toBe(1)
    await eventually(() => card('ACTIVE_USERS')).toBe(5)

    const countries = panel('revenue-by-country').locator('tbody tr')
    await eventually(() => countries.allInnerTexts()).toEqual([
      expect.stringMatching(/Germany\s+\$109\.50\s+73\.0%/),
      expect.stringMatching(/Japan\s+\$40\.50\s+27\.0%/),
    ])
    const sources = panel('revenue-by-traffic_source').locator('tbody th')
    expect(await sources.allInnerTexts()).toEqual(['Search', 'Email'])

    const rows = panel('order-items').locator('tbody tr[data-item]')
    await eventually(() => rows.count()).toBe(3)
    expect(await rows.first().innerText()).toMatch(/Jeans\s+\$9\.25\s+Processing\s+Woman, 36\s+Germany\s+Search/)
    await eventually(() => panel('revenue-seconds').innerText()).toContain('$150.00 in all')

    await panel('traffic').locator('svg.apexcharts-svg').waitFor()
    await panel('engagement').locator('svg.apexcharts-svg').waitFor()
    expect(complaints).toEqual([])
    expect([...hosts]).toEqual([new URL(stage.wire.url).host])
    await page.close()
  })

  it('moves rows of an order whose status changes, in place', async () => {
    const { page, panel } = await stage.visit()
    const rows = panel('order-items').locator('tbody tr[data-item]')
    await eventually(() => rows.count()).toBe(3)
    const response = await fetch(`${stage.wire.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ orders(first: 1) { nodes { orderId } } }' }),
    }).then((answer) => answer.json() as Promise<{ data?: { orders: { nodes: { orderId: string }[] } } }>)
    const orderId = response.data?.orders.nodes[0]?.orderId
    await fetch(`${stage.wire.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: 'mutation ($id: ID!) { changeOrderStatuses(changes: [{ orderId: $id, status: SHIPPED }]) { accepted } }',
        variables: { id: orderId },
      }),
    })
    await eventually(async () => (await rows.allInnerTexts()).filter((text) => text.includes('Shipped')).length).toBe(1)
    expect(await rows.count()).toBe(3)
    await page.close()
  })

  it('gives the same numbers as a table behind each chart', async () => {
    const { page, card, panel } = await stage.visit()
    await eventually(() => card('PAGE_VIEWS')).toBe(3)
    await page.getByRole('button', { name: 'Traffic as a table' }).click()
    const cells = panel('traffic').locator('tbody td:nth-child(2)')
    await eventually(async () => (await cells.allInnerTexts()).reduce((sum, text) => sum + Number(text), 0)).toBe(3)
    await page.close()
  })

  it('shows messages in three columns, newest first, with counters; their text is text', async () => {
    const { page, panel } = await stage.visit()
    const column = (severity: string) => panel('messages').locator(`[data-severity="${severity}"]`)
    await column('DANGER').getByText('None yet').waitFor()
    await stage.shop.message('SUCCESS', 'First')
    await stage.shop.message('SUCCESS', 'Second')
    const nasty = '<img src=x onerror="window.hacked = 1"><b>bold</b>'
    await stage.shop.message('DANGER', nasty, '<script>window.hacked = 1</script>')
    await column('DANGER').locator('li').waitFor()
    await eventually(() => column('SUCCESS').locator('li').allInnerTexts()).toEqual([
      expect.stringContaining('Second'),
      expect.stringContaining('First'),
    ])
    expect(await column('SUCCESS').locator('[data-count]').innerText()).toBe('2')
    expect(await column('DANGER').locator('[data-count]').innerText()).toBe('1')
    expect(await column('WARNING').locator('[data-count]').innerText()).toBe('0')
    expect(await column('DANGER').locator('li').innerText()).toContain(nasty)
    expect(await column('DANGER').locator('li img, li b, li script').count()).toBe(0)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
    await page.close()
  })

  it('tells what the server takes in', async () => {
    const { page, panel } = await stage.visit()
    const fact = (name: string) => panel('ingest').locator(`[data-fact="${name}"] dd`)
    await fact('rows-in').waitFor()
    expect(Number(await fact('rows-in').innerText())).toBeGreaterThan(10)
    expect(await fact('rejected').innerText()).toBe('0')
    await eventually(async () => Number(await fact('subscribers').innerText())).toBeGreaterThan(0)
    expect(await fact('uptime').innerText()).toMatch(/\d+ (s|m)/)
    await page.close()
  })
})

describe('the controls', () => {
  it('hold the view, not the stream: the number stays, the new are counted, and one step leads back to live', async () => {
    const { page, card, panel } = await stage.visit()
    await eventually(() => card('ORDERS')).toBe(3)
    await panel('order-items').locator('tbody tr[data-item]').first().waitFor()
    await page.keyboard.press('Space')
    const banner = page.locator('[data-banner="paused"]')
    await banner.waitFor()
    expect(await banner.innerText()).toMatch(/Paused at \d\d:\d\d:\d\d, 0 new/)
    await stage.shop.order('1.00')
    await stage.shop.order('2.00')
    await eventually(() => banner.innerText()).toContain('2 new')
    expect(await card('ORDERS')).toBe(3)
    expect(await panel('order-items').locator('tbody tr[data-item]').count()).toBe(3)
    await page.getByRole('button', { name: 'Jump to live' }).click()
    await eventually(() => card('ORDERS')).toBe(5)
    await banner.waitFor({ state: 'detached' })
    await page.close()
  })

  it('change the window, by button and by key, and keep it in the address', async () => {
    await stage.shop.order('1000.00', { at: new Date(Date.now() - 30 * 60_000) })
    const { page, card } = await stage.visit()
    await eventually(() => card('ORDERS')).toBe(5)
    await page.getByRole('button', { name: /the last hour/ }).click()
    await eventually(() => card('ORDERS')).toBe(6)
    await eventually(() => card('REVENUE')).toBe(1153)
    expect(page.url()).toContain('window=1h')
    await page.keyboard.press('2')
    await eventually(() => card('ORDERS')).toBe(5)
    expect(page.url()).toContain('window=5m')
    await page.close()

    const shared = await stage.visit('/?window=24h')
    await eventually(() => shared.card('ORDERS')).toBe(6)
    await shared.page.close()
  })

  it('change the theme and say what the numbers mean', async () => {
    const { page } = await stage.visit('/?theme=light')
    const background = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const light = await background()
    await page.keyboard.press('t')
    await eventually(background).not.toBe(light)
    expect(page.url()).toContain('theme=dark')
    await page.keyboard.press('?')
    const help = page.getByRole('dialog')
    await help.getByText('Error rate').first().waitFor()
    expect(await help.innerText()).toContain('Space')
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'detached' })
    await page.close()
  })

  it('stand early in the tab order: the way to hold the page is the second stop', async () => {
    const { page } = await stage.visit()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Pause')
    await page.close()
  })
})

describe('what goes wrong', () => {
  it('shows a lost connection with a countdown, greys the numbers, and misses nothing when it is back', async () => {
    const { page, card, panel } = await stage.visit()
    const before = (await eventually(() => card('ORDERS')).toBeGreaterThan(0), await card('ORDERS')) ?? 0
    const state = page.locator('[data-connection]')
    await eventually(() => state.getAttribute('data-state')).toBe('live')
    stage.wire.cut()
    const banner = page.locator('[data-banner="disconnected"]')
    await banner.waitFor()
    expect(await banner.innerText()).toMatch(/Connection lost at \d\d:\d\d:\d\d/)
    await eventually(() => banner.innerText()).toMatch(/Next try in \d+ s/)
    expect(await page.locator('main').getAttribute('data-stale')).toBe('true')
    expect(await card('ORDERS')).toBe(before)

    await stage.shop.order('7.00')
    await stage.shop.message('WARNING', 'Sent while nobody listened')
    stage.wire.mend()
    await eventually(() => card('ORDERS')).toBe(before + 1)
    await eventually(() => state.getAttribute('data-state')).toBe('live')
    await panel('messages').getByText('Sent while nobody listened').waitFor()
    expect(await banner.count()).toBe(0)
    expect(await page.locator('main').getAttribute('data-stale')).toBe('false')
    await page.close()
  })

  it('keeps the fault of one stream in its own panel, with what to do', async () => {
    const page = await stage.browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.routeWebSocket(/graphql/, (socket) => {
      const server = socket.connectToServer()
      socket.onMessage((message) => {
        const { id, payload } = JSON.parse(String(message)) as { id?: string; payload?: { query?: string } }
        if (!payload?.query?.includes('subscription Messages')) return server.send(message)
        const error = { message: 'The database is away.', extensions: { code: 'UNAVAILABLE' } }
        socket.send(JSON.stringify({ id, type: 'error', payload: [error] }))
      })
    })
    await page.goto(stage.wire.url)
    await page.locator('[data-metric="ORDERS"] data').waitFor()
    const messages = page.locator('[data-panel="messages"]')
    await messages.getByText('The database is away.').first().waitFor()
    expect(await messages.getByRole('button', { name: 'Try again' }).count()).toBe(1)
    await page.locator('[data-panel="order-items"] tr[data-item]').first().waitFor()
    await page.close()
  })
})
