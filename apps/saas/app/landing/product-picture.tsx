/** The billing page as it is, in the visitor's theme; shown once the screenshots were taken (they lie beside this file). */
export function ProductPicture() {
  const light = pictures['./billing-light.png']
  const dark = pictures['./billing-dark.png']
  if (!light || !dark) return null
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
      height={900}
      loading="lazy"
      decoding="async"
      className={`h-auto w-full ${className}`}
    />
  )
}

const pictures = import.meta.glob<string>('./billing-*.png', { eager: true, query: '?url', import: 'default' })
