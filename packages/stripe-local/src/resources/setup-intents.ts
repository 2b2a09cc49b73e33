import type { Account } from '../account.ts'
import { type ApiError, refuse } from '../http/errors.ts'
import {
  flag,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  type Params,
  range,
  required,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { checkUsable, clockOf } from '../payments/pay.ts'
import {
  cancelSetup,
  confirmSetup,
  newSetupIntent,
  type SetupAttempt,
  type SetupIntent,
  setupRefusalOf,
} from '../payments/setup-intent.ts'
import { customerParameter } from './customers.ts'
import {
  automaticFrom,
  automaticMethods,
  cardOptions,
  checkReturnUrl,
  checkTypes,
  methodTypes,
} from './payment-intents.ts'
import { methodParameter } from './payment-methods.ts'

const common = {
  allowed_payment_method_types: unsettable(methodTypes),
  payment_method: text(),
  payment_method_options: cardOptions,
}
const described = {
  customer: text(),
  description: onlyShown(text({ max: 1000 })),
  excluded_payment_method_types: unsettable(methodTypes),
  metadata: metadata(),
}
const confirmable = { return_url: text(), use_stripe_sdk: flag() }
type Confirm = Params<typeof confirmable>
type Common = Params<typeof common> & Params<typeof described>

export const setupIntentRoutes = [
  route(
    'POST',
    '/v1/setup_intents',
    {
      ...common,
      ...described,
      ...confirmable,
      automatic_payment_methods: automaticMethods,
      confirm: flag(),
      usage: oneOf('off_session', 'on_session'),
    },
    (account, params) => {
      if (params.return_url !== undefined && !params.confirm) {
        throw refuse(
          'The parameter `return_url` cannot be passed when creating a SetupIntent unless `confirm` is set to true.',
          { param: 'return_url' },
        )
      }
      const customer = params.customer === undefined ? null : customerParameter(account, params.customer).id
      const allowed = checkTypes(params)
      const intent = newSetupIntent(
        account,
        { customer, clock: clockOf(account, customer) },
        {
          automatic_payment_methods: automaticFrom(params.automatic_payment_methods, allowed),
          usage: params.usage ?? 'off_session',
        },
      )
      const made = { ...intent, ...fieldsOf(account, intent, params) }
      account.create(made, 'setup_intent.created')
      return account.present(params.confirm ? confirm(account, made, params) : made)
    },
  ),

  route('GET', '/v1/setup_intents/:id', { client_secret: text() }, (account, params, { id }) => {
    const found = account.get<SetupIntent>('setup_intent', id!)
    if (params.client_secret !== undefined && params.client_secret !== found.client_secret) {
      throw refuse('The client_secret provided does not match the client_secret associated with the SetupIntent.', {
        code: 'setup_intent_invalid_parameter',
        param: 'client_secret',
      })
    }
    return account.present(found)
  }),

  route('POST', '/v1/setup_intents/:id', { ...common, ...described }, (account, params, { id }) => {
    const before = account.get<SetupIntent>('setup_intent', id!)
    const isOver = before.status === 'succeeded' || before.status === 'canceled'
    if (isOver && (params.payment_method ?? params.customer) !== undefined) {
      throw unexpectedState(
        `You cannot update this SetupIntent because it has already ${before.status === 'canceled' ? 'been canceled' : 'succeeded'}.`,
        before,
        account,
      )
    }
    checkTypes(params)
    const changed = {
      ...before,
      ...(params.customer !== undefined && { customer: customerParameter(account, params.customer).id }),
    }
    return account.present(account.objects.save<SetupIntent>({ ...changed, ...fieldsOf(account, changed, params) }))
  }),

  route('POST', '/v1/setup_intents/:id/confirm', { ...common, ...confirmable }, (account, params, { id }) => {
    const before = account.get<SetupIntent>('setup_intent', id!)
    if (before._session !== null) throw refuse('You cannot confirm the SetupIntent for a Checkout Session.')
    if (before.status === 'succeeded' || before.status === 'canceled') {
      const why = before.status === 'canceled' ? 'it has been canceled' : 'it has already succeeded'
      throw unexpectedState(`You cannot confirm this SetupIntent because ${why}.`, before, account)
    }
    checkTypes(params)
    const changed = account.objects.save<SetupIntent>({ ...before, ...fieldsOf(account, before, params) })
    return account.present(confirm(account, changed, params))
  }),

  route(
    'POST',
    '/v1/setup_intents/:id/cancel',
    { cancellation_reason: oneOf('abandoned', 'duplicate', 'requested_by_customer') },
    (account, params, { id }) => {
      const before = account.get<SetupIntent>('setup_intent', id!)
      if (before._session !== null) {
        throw refuse(
          'You cannot cancel the SetupIntent for a Checkout Session. To cancel, expire the Checkout Session instead.',
        )
      }
      if (before.status === 'succeeded' || before.status === 'canceled') {
        throw unexpectedState(
          `You cannot cancel this SetupIntent because it has a status of ${before.status}. Only a SetupIntent with one of the following statuses may be canceled: requires_payment_method, requires_confirmation, requires_action.`,
          before,
          account,
        )
      }
      return account.present(cancelSetup(account, before, params.cancellation_reason ?? null))
    },
  ),

  route(
    'GET',
    '/v1/setup_intents',
    { ...paging, created: range(), customer: text(), payment_method: text() },
    (account, params) => {
      if (params.customer !== undefined) customerParameter(account, params.customer)
      return listPage<SetupIntent>(account, 'setup_intent', '/v1/setup_intents', params, {
        where: { '$.customer': params.customer, '$.payment_method': params.payment_method },
        ...(params.created && { created: params.created }),
      })
    },
  ),

  route(
    'GET',
    '/v1/setup_attempts',
    { ...paging, created: range(), setup_intent: required(text()) },
    (account, params) => {
      const intent = account.reference<SetupIntent>('setup_intent', params.setup_intent, 'setup_intent')
      return listPage<SetupAttempt>(account, 'setup_attempt', '/v1/setup_attempts', params, {
        where: { '$.setup_intent': intent.id },
        ...(params.created && { created: params.created }),
      })
    },
  ),
]

function confirm(account: Account, intent: SetupIntent, params: Confirm): SetupIntent {
  if (intent.payment_method === null) {
    throw unexpectedState(
      "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.",
      intent,
      account,
    )
  }
  checkReturnUrl(intent.automatic_payment_methods, params, 'SetupIntent')
  const after = confirmSetup(account, intent, {
    returnUrl: params.return_url ?? null,
    usesSdk: params.use_stripe_sdk ?? false,
  })
  if (after.status === 'requires_payment_method') account.answerWith(setupRefusalOf(account, after))
  return after
}

function fieldsOf(account: Account, intent: SetupIntent, params: Common): Partial<SetupIntent> {
  const method = params.payment_method === undefined ? null : methodParameter(account, params.payment_method)
  if (method) checkUsable(method, intent.customer)
  const requested = params.payment_method_options?.card?.request_three_d_secure
  return {
    ...(params.allowed_payment_method_types !== undefined && {
      allowed_payment_method_types: params.allowed_payment_method_types,
    }),
    ...(params.excluded_payment_method_types !== undefined && {
      excluded_payment_method_types: params.excluded_payment_method_types,
    }),
    ...(params.description !== undefined && { description: params.description }),
    metadata: mergedMetadata(intent.metadata, params.metadata),
    ...(requested && {
      payment_method_options: { card: { ...intent.payment_method_options.card, request_three_d_secure: requested } },
    }),
    ...(method && { payment_method: method.id, status: 'requires_confirmation' as const, next_action: null }),
  }
}

function unexpectedState(message: string, intent: SetupIntent, account: Account): ApiError {
  return refuse(message, { code: 'setup_intent_unexpected_state', setup_intent: account.present(intent) })
}
