// Builds the dashboard into dist/public, from where the server serves it; in development it passes /graphql on to the server.
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const server = 'http://localhost:4000'

export default defineConfig({
  root: 'client',
  plugins: [vue(), tailwindcss()],
  build: {
    outDir: '../dist/public',
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would need its own line in a content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { port: 5173, proxy: { '/graphql': { target: server, ws: true } } },
})
