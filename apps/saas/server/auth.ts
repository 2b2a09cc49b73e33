import { type BetterAuthPlugin, betterAuth } from 'better-auth'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import { admin, organization, twoFactor } from 'better-auth/plugins'
import pg from 'pg'
import type { Logger } from 'pino'
import { audit } from './audit.ts'
import { linkMail, type Mail } from './mail.ts'
import { isSlug } from './organizations.ts'

/** The visitor's address as we determined it; whatever a visitor sends under this name is overwritten. */
export const CLIENT_ADDRESS_HEADER = 'x-meterkit-client-address'

const PASSWORD_CHARACTERS_MIN = 8

export interface AuthParts {
  pool: pg.Pool
  databaseUrl: string
  secret: string
  appUrl: string
  /** Further origins whose browsers may sign in, e.g. the same machine under another name. */
  trustedOrigins: string[]
  mail: (mail: Mail) => Promise<void>
  log: Logger
}

export type Auth = ReturnType<typeof createAuth>

/** Accounts, sessions, organizations and administrators, in the schema `auth`. `close` ends its connections. */
export function createAuth(parts: AuthParts) {
  const { databaseUrl, secret, appUrl, trustedOrigins, mail, log } = parts
  const pool = new pg.Pool({ connectionString: databaseUrl, options: '-c search_path=auth', max: 5 })
  pool.on('error', (error) => log.warn({ error: error.message }, 'the database closed a connection'))

  const auth = betterAuth({
    appName: 'Meterkit',
    baseURL: appUrl,
    basePath: '/api/auth',
    secret,
    database: pool,
    trustedOrigins: [appUrl, ...trustedOrigins],
    telemetry: { enabled: false },
    // Without a level it logs warnings and errors here; with one, each wrong request also to the console.
    logger: { log: (level, message) => log[level === 'error' ? 'error' : 'warn']({}, message) },
    advanced: {
      cookiePrefix: 'meterkit',
      useSecureCookies: appUrl.startsWith('https:'),
      database: { generateId: 'uuid' },
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
    },
    rateLimit: {
      enabled: true,
      storage: 'database',
      window: 60,
      max: 120,
      customRules: {
        '/sign-in/email': { window: 60, max: 20 },
        '/sign-up/email': { window: 60, max: 10 },
        '/request-password-reset': { window: 60, max: 5 },
        '/two-factor/*': { window: 60, max: 15 },
        '/get-session': false,
      },
    },
    emailAndPassword: {
      enabled: true,
      minPasswordLength: PASSWORD_CHARACTERS_MIN,
      maxPasswordLength: 128,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: ({ user, token }) =>
        mail(
          linkMail(
            user.email,
            'Choose a new password',
            `Somebody asked for a new password for ${user.email}. To choose one, open this page within an hour:`,
            `${appUrl}/reset-password?token=${token}`,
            'If it was not you, do nothing: your password stays as it is.',
          ),
        ),
    },
    emailVerification: {
      sendVerificationEmail: ({ user, url }) =>
        mail(
          linkMail(
            user.email,
            'Confirm your email address',
            `To confirm that ${user.email} is yours, open this page within an hour:`,
            url,
            'If you do not know what this is about, do nothing.',
          ),
        ),
    },
    user: {
      changeEmail: {
        enabled: true,
        sendChangeEmailConfirmation: ({ user, newEmail, url }) =>
          mail(
            linkMail(
              user.email,
              'Confirm the change of your email address',
              `Somebody signed in as you asked to change your address to ${newEmail}. To allow it, open this page within an hour:`,
              url,
              'If it was not you, do nothing, and change your password.',
            ),
          ),
      },
    },
    // What no page offers is not offered by address either; organizations and users carry billing history.
    disabledPaths: ['/admin/remove-user', '/delete-user', '/organization/delete'],
    plugins: [
      organization({
        creatorRole: 'owner',
        disableOrganizationDeletion: true,
        cancelPendingInvitationsOnReInvite: true,
        invitationExpiresIn: 7 * 24 * 60 * 60,
        organizationHooks: {
          beforeCreateOrganization: async ({ organization: { slug } }) => checkSlug(slug),
          beforeUpdateOrganization: async ({ organization: { slug } }) => checkSlug(slug),
        },
        sendInvitationEmail: ({ id, email, organization: { name }, inviter }) =>
          mail(
            linkMail(
              email,
              `Join ${name}`,
              `${inviter.user.name} invites you to join ${name} on Meterkit. To accept or decline, open this page within a week:`,
              `${appUrl}/invitations/${id}`,
              `If you do not know ${inviter.user.name}, do nothing.`,
            ),
          ),
      }),
      twoFactor({ issuer: 'Meterkit' }),
      admin(),
      signInAudit(parts),
    ],
  })
  return Object.assign(auth, { close: () => pool.end() })
}

/** Also for those who ask the API past our forms. */
function checkSlug(slug: string | undefined): void {
  if (slug !== undefined && !isSlug(slug))
    throw new APIError('BAD_REQUEST', {
      message: 'A slug is small letters and digits, with single dashes between them.',
    })
}

/** Stands after the two-factor plugin: while its challenge is open there is no new session to write down. */
function signInAudit({ pool }: AuthParts) {
  return {
    id: 'sign-in-audit',
    hooks: {
      after: [
        {
          matcher: ({ path }) => path === '/sign-in/email' || (path?.startsWith('/two-factor/verify-') ?? false),
          handler: createAuthMiddleware(async ({ context, path }) => {
            const user = context.newSession?.user
            if (user?.role !== 'admin') return
            await audit(
              { pool },
              {
                actor: { id: user.id, email: user.email },
                action: 'admin.sign_in',
                object: user.email,
                detail: {
                  address: context.newSession?.session.ipAddress ?? null,
                  twoFactor: path !== '/sign-in/email',
                },
              },
            )
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin
}
