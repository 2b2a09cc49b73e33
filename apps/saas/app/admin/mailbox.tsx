import Mail from 'lucide-react/icons/mail'
import { keptMails, type StoredMail } from 'saas/server/mail'
import { servicesContext } from 'saas/server/services'
import { notFound, requireAdmin } from 'saas/server/session'
import { Card } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { Time } from '~/ui/time'
import type { Route } from './+types/mailbox'
import { listFilter } from './list-filter.ts'
import { NothingFound, SearchForm } from './search-form.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Mailbox · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { config, pool } = args.context.get(servicesContext)
  // With a mail server in production, mails and the links in them are for their recipients alone.
  if (config.production && config.smtpUrl !== null) throw notFound()
  const { search = '' } = listFilter(args.url)
  return { mails: await keptMails(pool, search), search, sent: config.smtpUrl !== null }
}

export default function Mailbox({ loaderData: { mails, search, sent } }: Route.ComponentProps) {
  return (
    <>
      <PageHeader
        title="Mailbox"
        description={
          sent
            ? 'Copies of the mails this app has sent by its mail server.'
            : 'Without a mail server (SMTP_URL), the app’s mails arrive here.'
        }
      />
      <Card flush>
        {mails.length === 0 && search === '' ? (
          <EmptyState title="No mails yet" icon={<Mail aria-hidden />}>
            Invitations, confirmations and links for a new password arrive here.
          </EmptyState>
        ) : (
          <>
            <SearchForm label="Search mails" placeholder="Recipient or subject" />
            {mails.length === 0 ? (
              <NothingFound what="mails" />
            ) : (
              <ul className="divide-y border-t">
                {mails.map((mail, index) => (
                  <Letter key={mail.id} mail={mail} open={index === 0} />
                ))}
              </ul>
            )}
          </>
        )}
      </Card>
    </>
  )
}

function Letter({ mail: { to, subject, text, sentAt }, open }: { mail: StoredMail; open: boolean }) {
  return (
    <li>
      <details open={open} className="group">
        <summary className="flex cursor-pointer list-none flex-wrap items-baseline gap-x-4 gap-y-0.5 px-5 py-3 hover:bg-raised">
          <span className="font-medium">{subject}</span>
          <span className="break-all text-muted">{to}</span>
          <Time at={sentAt} className="ml-auto text-muted text-xs" />
        </summary>
        <div className="whitespace-pre-wrap break-words px-5 pt-1 pb-5">
          <Linked text={text} />
        </div>
      </details>
    </li>
  )
}

/** The mail's text with its links to click. */
function Linked({ text }: { text: string }) {
  let offset = 0
  return text.split(/(https?:\/\/\S+)/).map((part) => {
    const key = offset
    offset += part.length
    return /^https?:\/\//.test(part) ? (
      <a key={key} href={part} className="text-accent underline underline-offset-2">
        {part}
      </a>
    ) : (
      <span key={key}>{part}</span>
    )
  })
}
