import ArrowUp from 'lucide-react/icons/arrow-up'
import Square from 'lucide-react/icons/square'
import { type FormEvent, type KeyboardEvent, type RefObject, useEffect, useRef, useState } from 'react'
import { Button } from '~/ui/button'
import { formatQuantity } from '~/ui/quantity'
import { MESSAGE_CHARACTERS_MAX } from './message.ts'

/** Stop stands where Send stood: the second click of a double click must not end the answer that the first began. */
const DOUBLE_CLICK_MS = 500

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
  const sentAt = useRef(Number.NEGATIVE_INFINITY)
  useFocusWithoutKeyboard(input)
  const excess = text.length - MESSAGE_CHARACTERS_MAX
  const canSend = text.trim() !== '' && excess <= 0 && !answering

  const send = () => {
    if (!canSend) return
    sentAt.current = performance.now()
    onSend(text.trim())
    setText('')
  }
  const stop = () => {
    if (performance.now() - sentAt.current > DOUBLE_CLICK_MS) onStop()
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
          <Button variant="secondary" size="icon" aria-label="Stop" title="Stop" onClick={stop}>
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

/** One opens the chat to write. On a phone the focus would bring up the keyboard over what there is to read. */
function useFocusWithoutKeyboard(input: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    if (window.matchMedia('(pointer: fine)').matches) input.current?.focus({ preventScroll: true })
  }, [input])
}
