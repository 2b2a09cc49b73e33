import { Link, Outlet } from 'react-router'
import { Logo } from '../frame/logo.tsx'

/** The frame of the pages before the app: one column, nothing to distract. */
export default function AuthLayout() {
  return (
    <div className="flex min-h-dvh flex-col items-center px-4 py-10 sm:py-16">
      <header>
        <Link to="/" aria-label="Meterkit, front page" className="inline-flex rounded-lg p-1">
          <Logo />
        </Link>
      </header>
      <main id="main" className="mt-8 w-full max-w-sm">
        <Outlet />
      </main>
    </div>
  )
}
