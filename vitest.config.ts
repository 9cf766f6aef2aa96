// The tests by what they need: SQL and server tests want PostgreSQL, client tests Vue, flow tests the whole process, browser tests Chromium.
import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'
import vue from '@vitejs/plugin-vue'

const quick = { testTimeout: 60_000, hookTimeout: 60_000 }
// These start whole servers and browsers: one at a time, and with patience.
const whole = { testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false }

// Vite would take graphql's ES module build, which our packages do not: two copies of it do not know each other's types.
const oneGraphql = { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }] }

const built = { globalSetup: 'test/support/build.ts' }

// The projects do not extend this file: each would then start the one PostgreSQL of the run again.
export default defineConfig({
  test: {
    globalSetup: 'test/support/globalSetup.ts',
    maxWorkers: 2,
    projects: [
      { test: { name: 'sql', include: ['test/sql/**/*.test.ts'], ...quick } },
      { test: { name: 'server', include: ['test/server/**/*.test.ts'], ...quick, ...oneGraphql } },
      { plugins: [vue()], test: { name: 'client', include: ['test/client/**/*.test.ts'], ...quick } },
      { test: { name: 'flow', include: ['test/flow/**/*.test.ts'], ...whole, ...built, sequence: { groupOrder: 1 } } },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          ...whole,
          ...built,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
