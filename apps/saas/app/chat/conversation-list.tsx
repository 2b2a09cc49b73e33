import Ellipsis from 'lucide-react/icons/ellipsis'
import Pencil from 'lucide-react/icons/pencil'
import Plus from 'lucide-react/icons/plus'
import Trash2 from 'lucide-react/icons/trash-2'
import { useState } from 'react'
import { Form, Link, useFetcher } from 'react-router'
import { Button, LinkButton } from '~/ui/button'
import { cn } from '~/ui/cn'
import { Dialog, DialogClose } from '~/ui/dialog'
import { Field } from '~/ui/field'
import { Menu } from '~/ui/menu'

export interface ConversationItem {
  id: string
  title: string
}

/** All conversations, the most recent first; each can be renamed and deleted. */
export function ConversationList({
  conversations,
  currentId,
  chatPath,
  onLeave,
}: {
  conversations: ConversationItem[]
  currentId: string | null
  chatPath: string
  /** Called when one was chosen: a sheet around the list closes. */
  onLeave?: () => void
}) {
  const [asked, ask] = useState<{ about: ConversationItem; to: 'rename' | 'delete' } | null>(null)
  return (
    <nav aria-label="Conversations" className="flex min-h-0 flex-col gap-3">
      <LinkButton to={chatPath} variant="secondary" className="w-full" onClick={onLeave}>
        <Plus aria-hidden /> New chat
      </LinkButton>
      {conversations.length === 0 ? (
        <p className="px-2.5 text-muted text-xs">Your conversations will be listed here.</p>
      ) : (
        <ul className="-mr-2 min-h-0 space-y-0.5 overflow-y-auto pr-2">
          {conversations.map((conversation) => (
            <li key={conversation.id} className="group relative">
              <Link
                to={`${chatPath}/${conversation.id}`}
                onClick={onLeave}
                aria-current={conversation.id === currentId ? 'page' : undefined}
                title={conversation.title}
                className={cn(
                  'block truncate rounded-lg py-2 pr-9 pl-2.5 text-muted transition-colors hover:bg-raised hover:text-text focus-visible:outline-offset-[-2px]',
                  conversation.id === currentId && 'bg-raised font-medium text-text',
                )}
              >
                {conversation.title}
              </Link>
              <Menu
                trigger={
                  <button
                    type="button"
                    aria-label={`Actions for ${conversation.title}`}
                    className="noscript:hidden absolute top-1/2 right-1 grid size-7 -translate-y-1/2 place-items-center rounded-md text-muted opacity-0 hover:bg-border hover:text-text focus-visible:opacity-100 group-focus-within:opacity-100 group-hover:opacity-100 data-popup-open:opacity-100 pointer-coarse:opacity-100"
                  >
                    <Ellipsis className="size-4" aria-hidden />
                  </button>
                }
                groups={[
                  {
                    entries: [
                      { label: 'Rename', icon: <Pencil />, onSelect: () => ask({ about: conversation, to: 'rename' }) },
                      {
                        label: 'Delete',
                        icon: <Trash2 />,
                        tone: 'danger',
                        onSelect: () => ask({ about: conversation, to: 'delete' }),
                      },
                    ],
                  },
                ]}
              />
            </li>
          ))}
        </ul>
      )}
      <RenameDialog
        conversation={asked?.to === 'rename' ? asked.about : null}
        action={chatPath}
        onClose={() => ask(null)}
      />
      <DeleteDialog
        conversation={asked?.to === 'delete' ? asked.about : null}
        action={currentId ? `${chatPath}/${currentId}` : chatPath}
        onClose={() => ask(null)}
      />
    </nav>
  )
}

interface QuestionProps {
  conversation: ConversationItem | null
  action: string
  onClose: () => void
}

function RenameDialog({ conversation, action, onClose }: QuestionProps) {
  const fetcher = useFetcher()
  return (
    <Dialog
      title="Rename this conversation"
      open={conversation !== null}
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      footer={
        <>
          <DialogClose render={<Button variant="ghost" />}>Cancel</DialogClose>
          <Button type="submit" form="rename-conversation" variant="primary">
            Rename
          </Button>
        </>
      }
    >
      {conversation && (
        <fetcher.Form id="rename-conversation" method="post" action={action} onSubmit={() => queueMicrotask(onClose)}>
          <input type="hidden" name="intent" value="rename" />
          <input type="hidden" name="id" value={conversation.id} />
          <Field
            label="Name"
            name="title"
            defaultValue={conversation.title}
            maxLength={60}
            required
            autoComplete="off"
          />
        </fetcher.Form>
      )}
    </Dialog>
  )
}

function DeleteDialog({ conversation, action, onClose }: QuestionProps) {
  return (
    <Dialog
      title="Delete this conversation?"
      open={conversation !== null}
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      footer={
        <>
          <DialogClose render={<Button variant="ghost" />}>Cancel</DialogClose>
          <Button type="submit" form="delete-conversation" variant="danger">
            Delete
          </Button>
        </>
      }
    >
      {conversation && (
        <Form id="delete-conversation" method="post" action={action} onSubmit={() => queueMicrotask(onClose)}>
          <input type="hidden" name="intent" value="delete" />
          <input type="hidden" name="id" value={conversation.id} />
          <p className="text-muted">
            “{conversation.title}” and its messages will be gone for good. The tokens they used stay on the bill.
          </p>
        </Form>
      )}
    </Dialog>
  )
}
