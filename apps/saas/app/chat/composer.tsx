import ArrowUp from 'lucide-react/icons/arrow-up'
import Square from 'lucide-react/icons/square'
import { type FormEvent, type KeyboardEvent, type RefObject, useState } from 'react'
import { Button } from '~/ui/button'
import { formatQuantity } from '~/ui/quantity'
import { MESSAGE_CHARACTERS_MAX } from './message.ts'

/** Where one writes: Enter sends, Shift-Enter breaks the line, Stop ends an answer under way. */
export function Composer({
  input,
  answering,
  onSend,
  onStop,
}: {
  input: RefObject<HTMLTextAreaElement | null>
  answering: boolean
  onSend: (text: string) => void
  onStop: () => void
}) {
  const [text, setText] = useState('')
  const excess = text.length - MESSAGE_CHARACTERS_MAX
  const canSend = text.trim() !== '' && excess <= 0 && !answering

  const send = () => {
    if (!canSend) return
    onSend(text.trim())
    setText('')
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    send()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends the composing of a Japanese or Chinese word.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }

  return (
    <form onSubmit={submit} className="sticky bottom-0 z-10 -mx-1 mt-auto bg-background px-1 pt-2 pb-4">
      <div className="flex items-end gap-2 rounded-card border border-border-strong bg-surface p-2 transition-colors focus-within:border-accent">
        <textarea
          ref={input}
          name="message"
          aria-label="Message"
          aria-invalid={excess > 0 || undefined}
          aria-describedby={excess > 0 ? 'message-length' : undefined}
          placeholder="Ask about Meterkit"
          rows={1}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          enterKeyHint="send"
          className="field-sizing-content max-h-48 min-h-9 w-full min-w-0 resize-none bg-transparent px-2 py-1.5 text-base leading-6 outline-none md:text-sm"
        />
        {answering ? (
          <Button variant="secondary" size="icon" aria-label="Stop" title="Stop" onClick={onStop}>
            <Square aria-hidden className="fill-current" />
          </Button>
        ) : (
          <Button type="submit" variant="primary" size="icon" aria-label="Send" title="Send" disabled={!canSend}>
            <ArrowUp aria-hidden />
          </Button>
        )}
      </div>
      {excess > 0 && (
        <p id="message-length" role="alert" className="mt-1.5 text-danger text-xs">
          {formatQuantity(excess, 'characters')} too many: at most {formatQuantity(MESSAGE_CHARACTERS_MAX)} fit. Shorten
          it, or send it in parts.
        </p>
      )}
    </form>
  )
}
