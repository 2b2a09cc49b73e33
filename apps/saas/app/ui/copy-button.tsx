import Check from 'lucide-react/icons/check'
import Copy from 'lucide-react/icons/copy'
import { useEffect, useState } from 'react'
import { cn } from './cn.ts'

/** Copies `text`, and says that it did. Hidden where there is no JavaScript to do it. */
export function CopyButton({ text, label = 'Copy', className }: { text: string; label?: string; className?: string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
  }
  const Icon = copied ? Check : Copy
  return (
    <button
      type="button"
      onClick={copy}
      aria-label={copied ? 'Copied' : label}
      title={label}
      className={cn(
        'noscript:hidden inline-grid size-6 shrink-0 place-items-center rounded-md text-muted transition-colors hover:bg-raised hover:text-text',
        copied && 'text-positive',
        className,
      )}
    >
      <Icon className="size-3.5" aria-hidden />
    </button>
  )
}
