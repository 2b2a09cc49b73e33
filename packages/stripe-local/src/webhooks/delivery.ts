/** One event on its way to one endpoint, with what was tried so far. */
export interface Delivery {
  id: string
  eventId: string
  eventType: string
  endpointId: string
  url: string
  status: 'pending' | 'delivered' | 'failed'
  createdAt: Date
  nextAttemptAt: Date | null
  body: string
  attempts: { at: Date; answerStatus: number | null; answerBody: string | null; error: string | null }[]
}
