import { createTransport } from 'nodemailer'
import type pg from 'pg'
import type { Config } from './config.ts'

export interface Mail {
  to: string
  subject: string
  text: string
}

export interface StoredMail extends Mail {
  id: string
  sentAt: Date
}

/** Keeps a mail where the mailbox page shows it. */
export async function keepMail(pool: pg.Pool, { to, subject, text }: Mail): Promise<void> {
  await pool.query('insert into app.mails (recipient, subject, body) values ($1, $2, $3)', [to, subject, text])
}

/** The newest mails of the mailbox page; a search looks at address and subject. */
export async function keptMails(pool: pg.Pool, search = '', limit = 100): Promise<StoredMail[]> {
  const { rows } = await pool.query<StoredMail>(
    /* sql */ `
      select id, recipient as "to", subject, body as text, sent_at as "sentAt"
      from app.mails
      where $1::text = '' or recipient ilike '%' || $1 || '%' or subject ilike '%' || $1 || '%'
      order by id desc
      limit $2::int`,
    [search, limit],
  )
  return rows
}

/** Hands mails to the configured mail server; null without one. */
export function mailServer({ smtpUrl, mailFrom }: Config): ((mail: Mail) => Promise<void>) | null {
  if (smtpUrl === null) return null
  const transport = createTransport(smtpUrl, { from: mailFrom })
  return async (mail) => {
    await transport.sendMail(mail)
  }
}

/** A mail with one link: what has happened, what to do, and what to do if it was somebody else. */
export function linkMail(to: string, subject: string, sentence: string, link: string, otherwise: string): Mail {
  return { to, subject, text: `${sentence}\n\n${link}\n\n${otherwise}\n` }
}
