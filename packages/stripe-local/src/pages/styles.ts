/** The one style sheet of checkout, portal, invoices and dashboard. */
export const styles = /* css */ `
:root {
  color-scheme: light dark;
  --background: oklch(0.982 0.003 265);
  --surface: oklch(1 0 0);
  --raised: oklch(0.965 0.005 265);
  --border: oklch(0.905 0.007 265);
  --strong-border: oklch(0.62 0.02 265);
  --text: oklch(0.235 0.025 268);
  --muted: oklch(0.5 0.022 265);
  --accent: oklch(0.5 0.2 277);
  --on-accent: oklch(1 0 0);
  --accent-wash: oklch(0.965 0.018 277);
  --positive: oklch(0.46 0.11 155);
  --positive-wash: oklch(0.962 0.03 155);
  --warning: oklch(0.5 0.11 65);
  --warning-wash: oklch(0.965 0.04 85);
  --danger: oklch(0.51 0.19 25);
  --danger-wash: oklch(0.967 0.018 20);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'Roboto Mono', Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --background: oklch(0.175 0.012 268);
    --surface: oklch(0.212 0.014 268);
    --raised: oklch(0.252 0.016 268);
    --border: oklch(0.315 0.016 268);
    --strong-border: oklch(0.55 0.02 268);
    --text: oklch(0.95 0.006 265);
    --muted: oklch(0.715 0.018 265);
    --accent: oklch(0.76 0.125 280);
    --on-accent: oklch(0.2 0.05 280);
    --accent-wash: oklch(0.28 0.05 280);
    --positive: oklch(0.8 0.13 155);
    --positive-wash: oklch(0.28 0.045 155);
    --warning: oklch(0.82 0.12 80);
    --warning-wash: oklch(0.29 0.045 75);
    --danger: oklch(0.77 0.13 22);
    --danger-wash: oklch(0.28 0.055 22);
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--background);
  color: var(--text);
  font: 400 14px/1.5 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
  font-variant-numeric: tabular-nums;
  -webkit-font-smoothing: antialiased;
}
h1, h2, h3, p, dl, dd, ul, ol, figure, pre { margin: 0; padding: 0; }
h1, h2, h3, strong, th, legend { font-weight: 550; }
h1, h2, h3 { overflow-wrap: anywhere; }
h1 { font-size: 20px; line-height: 28px; letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 16px; line-height: 24px; }
h3 { font-size: 14px; }
ul.plain { list-style: none; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; text-underline-offset: 3px; }
code, pre, .id { font-family: var(--mono); font-size: 12px; }
.id { white-space: nowrap; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.muted { color: var(--muted); }
.small { font-size: 12px; line-height: 16px; }
.big { font-size: 32px; line-height: 40px; font-weight: 550; letter-spacing: -0.02em; }
.nowrap { white-space: nowrap; }
.anywhere { overflow-wrap: anywhere; min-width: 96px; }
.stack { display: grid; gap: 16px; align-content: start; min-width: 0; }
.stack > * { min-width: 0; }
.stack-small { display: grid; gap: 4px; }
.row { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.spread { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; }
.visually-hidden {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; border: 0;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
.skip { position: absolute; left: 8px; top: -48px; background: var(--surface); padding: 8px 12px; border-radius: 8px; z-index: 2; }
.skip:focus { top: 8px; }

/* Plainly a test: on top of every page a customer sees. */
.test-mode {
  display: flex; flex-wrap: wrap; justify-content: center; gap: 0 8px; padding: 8px 16px;
  background: var(--warning-wash); color: var(--warning); border-bottom: 1px solid var(--border);
  font-size: 12px; line-height: 16px; text-align: center;
}

/* Buttons and forms */
button, .button {
  display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-height: 36px; padding: 6px 14px;
  border: 1px solid var(--border); border-radius: 8px; background: var(--surface); color: var(--text);
  font: inherit; font-weight: 550; line-height: 20px; cursor: pointer; text-align: center;
  transition: background-color 120ms, border-color 120ms, opacity 120ms;
}
button:hover, .button:hover { background: var(--raised); text-decoration: none; }
button.primary, .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.primary:hover, .button.primary:hover { background: color-mix(in oklch, var(--accent) 88%, var(--text)); }
button.danger, .button.danger { color: var(--danger); }
button.small { min-height: 28px; padding: 3px 10px; font-size: 12px; line-height: 16px; }
button.wide { width: 100%; min-height: 44px; font-size: 16px; }
button.link { min-height: 0; padding: 0; border: 0; background: none; color: var(--accent); }
[hidden] { display: none !important; }
button:disabled, button[aria-busy='true'] { opacity: 0.65; cursor: progress; }
button[aria-busy='true']::before {
  content: ''; width: 14px; height: 14px; border-radius: 50%; border: 2px solid currentColor; border-top-color: transparent;
  animation: turn 800ms linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }
.field { display: grid; gap: 6px; min-width: 0; }
.field label, legend { font-size: 14px; line-height: 20px; font-weight: 550; }
.field .help { color: var(--muted); font-size: 12px; line-height: 16px; }
.field .error { color: var(--danger); font-size: 12px; line-height: 16px; }
input:not([type='checkbox'], [type='radio'], [type='hidden']), select, textarea {
  width: 100%; min-height: 40px; padding: 8px 12px; border: 1px solid var(--strong-border); border-radius: 8px;
  background: var(--surface); color: var(--text); font: inherit; font-size: 16px; line-height: 22px;
}
input::placeholder { color: var(--muted); opacity: 0.8; }
input:focus-visible, select:focus-visible { outline-offset: 0; border-color: var(--accent); border-radius: 8px; }
input[aria-invalid='true'] { border-color: var(--danger); }
input[readonly] { background: var(--raised); border-color: var(--border); color: var(--muted); }
input[type='checkbox'], input[type='radio'] { width: 16px; height: 16px; margin: 0; accent-color: var(--accent); }
.check > input { flex: none; }
.check { display: flex; gap: 8px; align-items: center; min-height: 28px; }
fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
legend { padding: 0; }
fieldset.stack > legend { margin-bottom: 8px; }
.field label.check { font-weight: 400; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; align-items: start; }
.notice { padding: 12px 14px; border: 1px solid var(--border); border-radius: 10px; background: var(--surface); }
.notice.danger { background: var(--danger-wash); border-color: color-mix(in oklch, var(--danger) 35%, transparent); color: var(--danger); }
.notice.danger a { color: inherit; text-decoration: underline; text-underline-offset: 3px; }
.notice.positive { background: var(--positive-wash); color: var(--positive); border-color: transparent; }
.notice.warning { background: var(--warning-wash); color: var(--warning); border-color: transparent; }
.notice ul { padding-left: 18px; }

/* Cards, tables, facts */
.card { border: 1px solid var(--border); border-radius: 10px; background: var(--surface); padding: 20px; min-width: 0; }
fieldset.card { border: 1px solid var(--border); padding: 20px; }
.card.flush { padding: 0; overflow: hidden; }
.card.flush > h2, .card.flush > .spread { padding: 16px 20px; border-bottom: 1px solid var(--border); }
.scroll { overflow-x: auto; position: relative; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 10px 12px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--border); }
th:first-child, td:first-child { padding-left: 20px; }
th:last-child, td:last-child { padding-right: 20px; }
tbody:last-child tr:last-child > * { border-bottom: 0; }
th { color: var(--muted); font-size: 12px; line-height: 16px; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
tfoot td, tfoot th { border-bottom: 0; padding-block: 6px; font-size: 14px; line-height: 20px; color: var(--text); }
tfoot tr:first-child > * { padding-top: 12px; border-top: 1px solid var(--border); }
tfoot tr:last-child > * { padding-bottom: 16px; }
.facts { display: grid; align-content: start; grid-template-columns: minmax(112px, max-content) minmax(0, 1fr); gap: 8px 20px; }
.facts dt { color: var(--muted); }
.facts dd { overflow-wrap: anywhere; }
.status {
  display: inline-flex; align-items: center; gap: 6px; padding: 1px 8px; border-radius: 6px; font-size: 12px; line-height: 18px;
  background: var(--raised); color: var(--muted); white-space: nowrap;
}
.status::before { content: ''; width: 6px; height: 6px; border-radius: 50%; background: currentColor; }
.status.positive { background: var(--positive-wash); color: var(--positive); }
.status.warning { background: var(--warning-wash); color: var(--warning); }
.status.danger { background: var(--danger-wash); color: var(--danger); }
.status.accent { background: var(--accent-wash); color: var(--accent); }
.status.void { text-decoration: line-through; }
.empty { padding: 32px 20px; text-align: center; color: var(--muted); }
pre { overflow: auto; max-height: 560px; padding: 16px 20px; background: var(--raised); border-radius: 8px; line-height: 18px; tab-size: 2; }
.card.flush pre { border-radius: 0; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; }

/* Checkout */
.checkout { display: grid; grid-template-columns: 1fr 1fr; min-height: calc(100vh - 33px); }
.checkout > * { padding: 56px 64px; display: flex; min-width: 0; }
.checkout .offer { justify-content: flex-end; }
.checkout .pay { background: var(--surface); border-left: 1px solid var(--border); }
.checkout .inner { width: 100%; max-width: 400px; }
.checkout .pay .inner { max-width: 420px; }
.offer-lines { border-top: 1px solid var(--border); margin-top: 8px; }
.offer-lines li { padding: 16px 0; border-bottom: 1px solid var(--border); }
.total { display: flex; justify-content: space-between; gap: 16px; font-weight: 550; }
.test-cards { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.test-cards button { display: grid; gap: 0; justify-items: start; text-align: left; padding: 8px 12px; font-weight: 400; justify-content: start; }
.test-cards strong { font-size: 12px; line-height: 16px; }
.test-cards span { color: var(--muted); font-size: 12px; line-height: 16px; font-family: var(--mono); }
.small-field { grid-template-columns: max-content 112px; align-items: center; gap: 12px; }
.small-field input { min-height: 32px !important; padding: 4px 8px !important; font-size: 14px !important; }
.small-field .error { grid-column: 1 / -1; }
.pay-with:has(input[name='card']:checked:not([value='new'])) .new-card { display: none; }
.single { width: 100%; max-width: 520px; margin: 0 auto; padding: 64px 20px; }
.bank { text-align: center; }
.bank .row { justify-content: center; }

/* Portal and invoice */
.narrow { max-width: 420px; }
.big-title { font-size: 20px; line-height: 28px; font-weight: 550; letter-spacing: -0.01em; }
.portal { display: grid; grid-template-columns: 320px minmax(0, 1fr); min-height: calc(100vh - 33px); }
.portal > aside { background: var(--surface); border-right: 1px solid var(--border); padding: 56px 40px; }
.portal > main { padding: 56px 64px; }
.portal > main > * { max-width: 720px; }
.portal > aside { display: flex; flex-direction: column; justify-content: space-between; gap: 32px; min-width: 0; overflow-wrap: anywhere; }
.portal .foot a { color: var(--muted); }
.plan-card { padding-block: 4px; gap: 6px; }
.plan-card .row { padding-top: 8px; }
.plan-card .price { font-size: 20px; line-height: 28px; font-weight: 550; letter-spacing: -0.01em; }
.rows { border: 1px solid var(--border); border-radius: 10px; background: var(--surface); }
.rows > li { padding: 10px 16px; min-height: 52px; }
.rows > li + li { border-top: 1px solid var(--border); }
.plans { display: grid; gap: 8px; max-width: 560px; }
.plan {
  display: grid; grid-template-columns: 16px minmax(0, 1fr); gap: 12px; padding: 14px 16px; cursor: pointer;
  border: 1px solid var(--border); border-radius: 10px; background: var(--surface);
}
.plan input { margin-top: 2px; }
.plan:hover { border-color: var(--strong-border); }
.plan:has(:checked) { border-color: var(--accent); background: var(--accent-wash); }
.section { display: grid; gap: 12px; padding-top: 12px; border-top: 1px solid var(--border); }
.section + .section { margin-top: 20px; }
.section-title { font-size: 12px; line-height: 16px; color: var(--muted); font-weight: 550; }
.invoice { width: 100%; max-width: 760px; margin: 0 auto; padding: 40px 20px 64px; }
.after-summary { padding-top: 16px; }
.invoice .parties { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; }

/* Dashboard */
.dashboard { display: grid; grid-template-columns: 216px minmax(0, 1fr); min-height: 100vh; }
.dashboard > nav { border-right: 1px solid var(--border); padding: 20px 12px; }
.dashboard > nav .brand { display: grid; padding: 0 12px 16px; color: var(--text); }
.dashboard > nav .brand strong { font-size: 16px; }
.dashboard > nav ul { display: grid; gap: 2px; list-style: none; }
.dashboard > nav li a { display: block; padding: 6px 12px; border-radius: 8px; color: var(--muted); }
.dashboard > nav li a:hover { background: var(--raised); text-decoration: none; }
.dashboard > nav a[aria-current] { background: var(--raised); color: var(--text); font-weight: 550; }
.dashboard > main { padding: 32px 40px 64px; }
.dashboard > main > * { max-width: 1120px; }
.dashboard > nav .groups { position: sticky; top: 16px; }
.dashboard > nav .group { padding: 16px 12px 4px; }
.inline-form { display: flex; flex-wrap: wrap; gap: 12px; align-items: end; }
.inline-form .field { width: 240px; }
.inline-form.padded { padding: 16px 20px; }
.scroll + .inline-form { border-top: 1px solid var(--border); }
.inline-form button { min-height: 40px; }
.row.end { justify-content: flex-end; flex-wrap: nowrap; }
.due { display: grid; gap: 6px; }
.progress { width: 100%; height: 8px; accent-color: var(--accent); }
th.plain { color: inherit; font-size: 14px; line-height: 20px; font-weight: 400; white-space: normal; }
.chart { display: block; width: 100%; height: 180px; }
.chart rect { fill: var(--accent); }
.chart .axis { stroke: var(--border); stroke-width: 1; vector-effect: non-scaling-stroke; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 16px; align-items: start; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 16px; }
.figures .card { padding: 16px 20px; color: inherit; }
.figures a.card:hover { border-color: var(--strong-border); text-decoration: none; }
.figures .value { font-size: 20px; line-height: 28px; font-weight: 550; }
.tabs { display: flex; flex-wrap: wrap; gap: 4px; }
.tabs a { padding: 4px 10px; border-radius: 8px; color: var(--muted); }
.tabs a:hover { background: var(--raised); text-decoration: none; }
.tabs a[aria-current] { background: var(--raised); color: var(--text); font-weight: 550; }
.filter { display: flex; gap: 8px; max-width: 420px; }
.filter input { min-height: 36px; font-size: 14px; }
summary.padded { padding: 12px 20px; }
.share { display: block; width: 96px; height: 4px; margin: 4px 0 0 auto; appearance: none; border: 0; border-radius: 2px; background: var(--raised); overflow: hidden; }
.share::-webkit-meter-bar { height: 4px; border: 0; border-radius: 2px; background: var(--raised); }
.share::-webkit-meter-optimum-value { background: var(--accent); }
.share::-moz-meter-bar { background: var(--accent); }
.delivery + .delivery { border-top: 1px solid var(--border); }
.delivery summary { display: flex; flex-wrap: wrap; gap: 4px 16px; justify-content: space-between; padding: 10px 20px; }
.delivery summary:hover { background: var(--raised); }
.delivery > .stack { padding: 8px 20px 20px; }

@media (max-width: 800px) {
  .checkout, .portal, .dashboard { grid-template-columns: minmax(0, 1fr); min-height: 0; }
  .checkout > *, .portal > main, .portal > aside { padding: 24px 20px; }
  .checkout .offer { justify-content: flex-start; }
  .checkout .pay, .portal > aside { border: 0; border-top: 1px solid var(--border); }
  .portal > aside { border-top: 0; border-bottom: 1px solid var(--border); }
  .checkout .inner, .checkout .pay .inner { max-width: none; }
  .dashboard > nav { border-right: 0; border-bottom: 1px solid var(--border); padding: 12px; }
  .dashboard > nav .brand { grid-auto-flow: column; justify-content: space-between; align-items: baseline; padding: 0 8px 8px; }
  .dashboard > nav .groups { display: flex; overflow-x: auto; position: static; scrollbar-width: none; }
  .dashboard > nav .group { display: none; }
  .dashboard > nav ul { display: flex; }
  .row.end { flex-wrap: wrap; }
  .inline-form .field { width: 100%; }
  .dashboard > nav li a { white-space: nowrap; padding: 6px 10px; }
  .dashboard > main { padding: 20px 16px 48px; }
  .invoice .parties { grid-template-columns: 1fr; }
  .invoice-lines thead { display: none; }
  .invoice-lines, .invoice-lines tbody, .invoice-lines tfoot { display: block; }
  .invoice-lines tfoot tr { display: flex; justify-content: space-between; }
  .invoice-lines tfoot tr > * { flex: 1; }
  .invoice-lines tfoot th.number { text-align: left; }
  .invoice-lines tbody tr { display: grid; padding: 12px 20px; border-bottom: 1px solid var(--border); }
  .invoice-lines tbody td { display: flex; justify-content: space-between; gap: 16px; padding: 2px 0 !important; border: 0; }
  .invoice-lines tbody td:first-child { display: block; padding-bottom: 6px !important; }
  .invoice-lines td[data-label]::before { content: attr(data-label); color: var(--muted); }
  .facts { gap: 8px 16px; }
  .wide-only { display: none; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation-duration: 3s !important; } }
@media print {
  :root { color-scheme: light; }
  body { background: none; }
  .no-print, .test-mode, .skip { display: none !important; }
  .invoice { padding: 0; max-width: none; }
  .card { border: 0; }
}
`
