import { LinkButton } from '~/ui/button'

export default function Landing() {
  return (
    <main id="main" className="mx-auto max-w-3xl px-6 py-24">
      <h1 className="font-medium text-3xl tracking-tight">Charge your customers for what they use.</h1>
      <div className="mt-6 flex gap-2.5">
        <LinkButton to="/register" variant="primary" size="lg">
          Start now
        </LinkButton>
        <LinkButton to="/login" size="lg">
          Sign in
        </LinkButton>
      </div>
    </main>
  )
}
