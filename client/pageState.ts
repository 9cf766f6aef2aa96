// What the address holds: the window and the theme, so that a link shows what its sender saw.
import { readWindow, type TimeWindow } from './live/windows.ts'

export type Theme = 'auto' | 'light' | 'dark'

export interface PageState {
  window: TimeWindow
  theme: Theme
}

const THEMES: readonly Theme[] = ['auto', 'light', 'dark']

/** From the query part of an address; what it does not say, or says wrong, is the default. */
export function readPageState(search: string): PageState {
  const parameters = new URLSearchParams(search)
  return {
    window: readWindow(parameters.get('window')),
    theme: THEMES.find((theme) => theme === parameters.get('theme')) ?? 'auto',
  }
}

/** The query part for a state; the default theme is left out. Parameters of others stay. */
export function writePageState(search: string, { window, theme }: PageState): string {
  const parameters = new URLSearchParams(search)
  parameters.set('window', window.id)
  if (theme === 'auto') parameters.delete('theme')
  else parameters.set('theme', theme)
  return `?${parameters}`
}

export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}
