import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createRequestHandler, type ServerBuild } from 'react-router'
import { StartupError } from './config.ts'
import type { Pages } from './http.ts'

const APP_DIRECTORY = fileURLToPath(new URL('../', import.meta.url))
const BUILD = new URL('../build/', import.meta.url)

/** Serves what the browser asks of Vite; calls `next` for everything else. */
export type Middleware = (
  request: import('node:http').IncomingMessage,
  response: import('node:http').ServerResponse,
  next: () => void,
) => void

export interface PageSource {
  pages: Pages
  clientDirectory: string | null
  middleware: Middleware | null
  close: () => Promise<void>
}

/** The pages as `react-router build` has left them. @throws StartupError when it has not run */
export async function builtPages(appUrl: string): Promise<PageSource> {
  const entry = new URL('server/index.js', BUILD)
  if (!existsSync(entry))
    throw new StartupError([
      'the pages are not built. Run npm start, which builds them, or react-router build in apps/saas.',
    ])
  const build = (await import(entry.href)) as ServerBuild
  return {
    pages: createRequestHandler(reachedAt(appUrl, build), 'production'),
    clientDirectory: fileURLToPath(new URL('client', BUILD)),
    middleware: null,
    close: async () => {},
  }
}

/** The pages from their sources, by Vite in this process and on this server's port; changes arrive without a reload. */
export async function pagesFromSource(appUrl: string, server: Server): Promise<PageSource> {
  const { createServer } = await import('vite')
  const vite = await createServer({
    root: APP_DIRECTORY,
    server: { middlewareMode: true, hmr: { server } },
    appType: 'custom',
  })
  // Its plugin would end the process on SIGTERM in the middle of our own shutdown.
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal)
  const build = async () =>
    reachedAt(appUrl, (await vite.ssrLoadModule('virtual:react-router/server-build')) as ServerBuild)
  return {
    pages: createRequestHandler(build, 'development'),
    clientDirectory: null,
    middleware: vite.middlewares,
    close: () => vite.close(),
  }
}

/** Behind a proxy that ends TLS the browser says https and we see http: forms from the public address are ours all the same. */
function reachedAt(appUrl: string, build: ServerBuild): ServerBuild {
  return { ...build, allowedActionOrigins: [new URL(appUrl).host] }
}
