// The page where a key is wanted: the prompt, what it says of each key, and the way out again.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createKey, revokeKey } from '../../server/access/keyTable.ts'
import { eventually, setStage, type Stage } from './kit.ts'

let stage: Stage
const keys: Record<'view' | 'ingest', { id: string; token: string }> = {} as never

beforeAll(async () => {
  stage = await setStage()
  await stage.shop.order('24.50')
  for (const role of ['view', 'ingest'] as const) {
    keys[role] = await createKey(stage.database.pool, { name: role, role })
  }
  // The server on loopback was open until now.
  const isClosed = async () => (await fetch(`${stage.wire.url}/graphql?query={__typename}`)).status === 401
  await vi.waitUntil(isClosed, { timeout: 20_000 })
})
afterAll(() => stage?.close())

describe('a dashboard that wants a key', () => {
  it('asks for one, says what is wrong with others, and shows the numbers with the right one', async () => {
    const { page, card } = await stage.visit()
    const form = page.locator('[data-sign-in]')
    await form.waitFor()
    expect(await page.locator('[data-panel]').count()).toBe(0)
    const fault = form.getByRole('alert')
    const tryKey = async (key: string) => {
      await page.getByLabel('API key').fill(key)
      await page.getByRole('button', { name: 'Sign in' }).click()
    }
    await tryKey(' ')
    await eventually(() => fault.innerText()).toBe('Paste the key first.')
    await tryKey('lookout_nonsense')
    await eventually(() => fault.innerText()).toMatch(/not known here/)
    await tryKey(keys.ingest.token)
    await eventually(() => fault.innerText()).toMatch(/may not read/)
    await tryKey(` ${keys.view.token}\n`)
    await eventually(() => card('REVENUE')).toBe(24.5)
    // It holds for the tab, is in no address, and goes when told to.
    await page.reload()
    await eventually(() => card('REVENUE')).toBe(24.5)
    expect(page.url()).not.toContain('lookout_')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await form.waitFor()
    await page.close()
  })

  it.each(['light', 'dark'])('has no barrier that axe can find, and fits a phone, in %s', async (theme) => {
    const { page } = await stage.visit(`/?theme=${theme}`, { viewport: { width: 390, height: 844 } })
    await page.locator('[data-sign-in]').waitFor()
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }
      return (await axe.run()).violations.map(({ id }) => id)
    })
    expect(found).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    await page.close()
  })

  it('asks again when its key is revoked, and says so', async () => {
    const { page, card } = await stage.visit()
    await page.getByLabel('API key').fill(keys.view.token)
    await page.getByLabel('API key').press('Enter')
    await eventually(() => card('REVENUE')).toBe(24.5)
    await revokeKey(stage.database.pool, keys.view.id)
    await eventually(() => page.locator('[data-sign-in]').innerText()).toMatch(/key of this tab has ended/)
    await page.close()
  })
})

describe('GraphiQL', () => {
  it('runs under its policy, and sends the key that is written under Headers with subscriptions too', async () => {
    const { token } = await createKey(stage.database.pool, { name: 'graphiql', role: 'view' })
    const { page, complaints } = await stage.visit('/graphql')
    await page.locator('button[data-name="headers"], button:has-text("Headers")').first().click()
    await page.locator('.graphiql-editor-tool .monaco-editor:visible').click()
    await page.keyboard.insertText(`{ "authorization": "Bearer ${token}" }`)
    await page.locator('button.graphiql-execute-button').click()
    await eventually(() => page.locator('.graphiql-response').innerText()).toMatch(/"kind"/)
    // Before the key was there, GraphiQL has asked for the schema, and the browser tells of the 401.
    expect(complaints.filter((text) => !/401/.test(text))).toEqual([])
    await page.close()
  })
})
