import { PageHeader } from '~/ui/page-header'
import { Tabs } from '~/ui/tabs'

/** What stands over each of a person's own pages. */
export function AccountTabs() {
  return (
    <>
      <PageHeader title="Your account" description="How you sign in, and what others see of you." />
      <Tabs
        label="Account"
        items={[
          { to: '/app/users/profile', label: 'Profile' },
          { to: '/app/users/two-factor-authentication', label: 'Two-factor' },
          { to: '/app/users/sessions', label: 'Sessions' },
        ]}
      />
    </>
  )
}
