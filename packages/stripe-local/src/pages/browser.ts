/**
 * What pages gain in a browser with JavaScript; each also works without. Text, because it runs there and not here:
 * card numbers in groups, test cards without a round trip, times in the viewer's zone, buttons that act once, copying.
 */
export const browserScript = /* js */ String.raw`
'use strict'
const digits = (value) => value.replace(/\D/g, '')
const grouped = (value) => {
  const all = digits(value).slice(0, 19)
  const groups = /^3[47]/.test(all) ? [all.slice(0, 4), all.slice(4, 10), all.slice(10, 15)] : all.match(/.{1,4}/g) ?? []
  return groups.filter(Boolean).join(' ')
}
const expiry = (value, deleting) => {
  let all = digits(value).slice(0, 4)
  if (/^[2-9]/.test(all)) all = '0' + all
  all = all.slice(0, 4)
  if (all.length < 2 || (all.length === 2 && deleting)) return all
  return all.slice(0, 2) + ' / ' + all.slice(2)
}
const formatters = { number: grouped, expiry, cvc: (value) => digits(value).slice(0, 4) }
document.addEventListener('input', (event) => {
  const input = event.target
  const format = formatters[input.dataset?.format]
  if (!format || event.isComposing) return
  const before = digits(input.value.slice(0, input.selectionStart)).length
  const atEnd = input.selectionStart === input.value.length
  const value = format(input.value, event.inputType?.startsWith('delete'))
  if (value === input.value) return
  input.value = value
  if (atEnd) return
  let at = 0
  for (let seen = 0; seen < before && at < value.length; at++) if (/\d/.test(value[at])) seen++
  input.setSelectionRange(at, at)
})

document.addEventListener('click', (event) => {
  const button = event.target.closest?.('button')
  if (!button) return
  if (button.dataset.fill) {
    event.preventDefault()
    const form = button.form
    for (const [name, value] of Object.entries(JSON.parse(button.dataset.fill))) {
      const input = form.elements[name]
      if (!input || input.readOnly) continue
      if (['email', 'name'].includes(name) && input.value) continue
      input.value = value
      input.removeAttribute('aria-invalid')
    }
    form.querySelectorAll('.field .error').forEach((error) => error.remove())
    form.querySelector('button.primary')?.focus()
  }
  if (button.dataset.copy) {
    navigator.clipboard?.writeText(button.dataset.copy).then(() => {
      const said = button.textContent
      button.textContent = 'Copied'
      setTimeout(() => { button.textContent = said }, 1200)
    })
  }
  if (button.dataset.print !== undefined) window.print()
})

document.addEventListener('submit', (event) => {
  const form = event.target
  if (form.method !== 'post') return
  if (form.dataset.sent) return event.preventDefault()
  form.dataset.sent = 'yes'
  event.submitter?.setAttribute('aria-busy', 'true')
})
window.addEventListener('pageshow', (event) => {
  if (!event.persisted) return
  for (const form of document.forms) delete form.dataset.sent
  document.querySelectorAll('[aria-busy]').forEach((button) => button.removeAttribute('aria-busy'))
})

const short = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const withYear = new Intl.DateTimeFormat('en-US', { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
document.querySelectorAll('time[data-local]').forEach((time) => {
  const at = new Date(time.dateTime)
  time.title = time.textContent
  time.textContent = (time.dataset.local === 'year' ? withYear : short).format(at)
})
document.querySelectorAll('[data-print], [data-copy]').forEach((button) => { button.hidden = false })
document.querySelector('.dashboard > nav [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' })
const refresh = document.querySelector('[data-refresh]')
if (refresh) setTimeout(() => location.reload(), Number(refresh.dataset.refresh))
document.querySelectorAll('[data-summary]').forEach((summary) => summary.focus())
`
