/** Whether users or organizations pay. */
export type Source = 'user' | 'organization'

/** A user or an organization that pays. */
export interface Customer {
  /** Derived from source and source id, so that two processes that meet a customer first agree. */
  id: string
  source: Source
  sourceId: string
  name: string
  email: string | null
  /** Null until Stripe was told, at the first checkout. */
  stripeId: string | null
  createdAt: Date
}

export interface CustomerInput {
  source: Source
  sourceId: string
  name: string
  email: string | null
}
