import dark from './billing-dark.webp'
import light from './billing-light.webp'

/** The billing page as it is, in the visitor's theme. */
export function ProductPicture() {
  return (
    <section aria-label="The product" className="pb-20 sm:pb-28">
      <div className="overflow-hidden rounded-card border">
        <Picture src={light} className="dark:hidden" />
        <Picture src={dark} className="hidden dark:block" />
      </div>
    </section>
  )
}

function Picture({ src, className }: { src: string; className: string }) {
  return (
    <img
      src={src}
      alt="The billing page: upcoming charges, usage and the days left, and how the charges were worked out."
      width={1440}
      height={992}
      loading="lazy"
      decoding="async"
      className={`h-auto w-full ${className}`}
    />
  )
}
