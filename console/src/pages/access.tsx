/** Who may do what: users, groups, keys, policies, roles, a simulator, sessions; own keys for those without admin permissions. */
import { type ReactNode } from "react";
import { Groups } from "../access/groups";
import { Keys } from "../access/keys";
import { ManagedPolicies } from "../access/managed";
import { OwnKeys } from "../access/own-keys";
import { Roles } from "../access/roles";
import { Sessions } from "../access/sessions";
import { Simulator } from "../access/simulator";
import { Users } from "../access/users";
import { useSession } from "../api/state";
import { Page } from "../parts";
import { href, useRoute } from "../router";
import { text } from "../strings";

const TABS = { users: Users, groups: Groups, keys: Keys, policies: ManagedPolicies, roles: Roles, simulator: Simulator, sessions: Sessions };

type Tab = keyof typeof TABS;

export default function Access(): ReactNode {
  const { admin } = useSession();
  const named = useRoute().path[1] ?? "users";
  const tab = named in TABS ? named as Tab : "users";
  if (!admin) return <Page title={text.pages.access} lead={text.access.ownLead}><OwnKeys /></Page>;
  const Shown = TABS[tab];
  return (
    <Page title={text.pages.access} lead={text.access.lead}>
      <nav className="tabs" aria-label={text.pages.access}>
        {(Object.keys(TABS) as Tab[]).map((one) => <a key={one} href={href(["access", one])} aria-current={one === tab ? "page" : undefined}>{text.access.tabs[one]}</a>)}
      </nav>
      <Shown key={tab} />
    </Page>
  );
}
