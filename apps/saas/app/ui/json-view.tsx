import { cn } from './cn.ts'
import { Highlighted } from './code-block.tsx'
import { CopyButton } from './copy-button.tsx'

/** A value as JSON, coloured, with a copy button. A string is taken for JSON already written; bigints are shown as strings. */
export function JsonView({ value, label = 'JSON', className }: { value: unknown; label?: string; className?: string }) {
  const text = toJson(value)
  return (
    <div className={cn('relative min-w-0 overflow-hidden rounded-lg border bg-background', className)}>
      <CopyButton text={text} label="Copy the JSON" className="absolute top-2 right-2 z-10 bg-background" />
      <Highlighted text={text} language="json" label={label} className="max-h-[40.875rem]" />
    </div>
  )
}

function toJson(value: unknown): string {
  if (typeof value === 'string') return reformat(value)
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part), 2) ?? 'undefined'
}

/** What was received is shown even when it is no JSON: that may be just what one is looking for. */
function reformat(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
