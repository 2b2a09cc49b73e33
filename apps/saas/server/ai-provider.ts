export const DEMO_MODEL_ID = 'demo'

/** By its prefix or by how the provider names its models; null where the keys decide. */
export function providerOf(model: string | null): 'anthropic' | 'openai' | 'demo' | null {
  if (model === null) return null
  if (model === DEMO_MODEL_ID) return 'demo'
  if (/^(anthropic\/|claude)/.test(model)) return 'anthropic'
  return /^(openai\/|gpt|o\d|chatgpt)/.test(model) ? 'openai' : null
}
