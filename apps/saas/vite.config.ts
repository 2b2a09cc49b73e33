import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { reactRouter } from '@react-router/dev/vite'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vite'

/** Run by Node as they are, never bundled: a copy would have context keys, pools and error classes of its own. */
const native = /^(meterkit|saas)(\/|$)/

export default defineConfig({
  plugins: [tailwindcss(), reactRouter()],
  // Found at the start, not one after the other while the first page loads: each find would reload it.
  optimizeDeps: { entries: ['app/**/*.tsx', '!app/entry.server.tsx'], exclude: ['meterkit', 'saas'] },
  resolve: { alias: { '~': fileURLToPath(new URL('./app', import.meta.url)) } },
  environments: {
    ssr: {
      resolve: { builtins: [...builtinModules, /^node:/, native] },
      build: { rolldownOptions: { external: [native] } },
    },
  },
})
