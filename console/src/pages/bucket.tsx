/** One bucket: its objects, and its settings in tabs. */
import { type ReactNode } from "react";
import { Access } from "../bucket/access";
import { Lifecycle } from "../bucket/lifecycle";
import { Overview } from "../bucket/overview";
import { Protection } from "../bucket/protection";
import { Web } from "../bucket/web";
import { Page } from "../parts";
import { href, useRoute } from "../router";
import { Browser } from "../objects/browser";
import { text } from "../strings";

const TABS = { overview: Overview, access: Access, lifecycle: Lifecycle, protection: Protection, web: Web };

type Tab = keyof typeof TABS;

export default function Bucket({ name }: { name: string }): ReactNode {
  const { query } = useRoute();
  const tab = query.get("tab");
  const Shown = tab !== null && tab in TABS ? TABS[tab as Tab] : undefined;
  return (
    <Page title={name}>
      <nav className="tabs" aria-label={name}>
        <a href={href(["buckets", name])} aria-current={Shown === undefined ? "page" : undefined}>{text.objects.tab}</a>
        {(Object.keys(TABS) as Tab[]).map((one) => <a key={one} href={href(["buckets", name], { tab: one })} aria-current={one === tab ? "page" : undefined}>{text.bucket.tabs[one]}</a>)}
      </nav>
      {Shown === undefined ? <Browser key={name} bucket={name} /> : <Shown bucket={name} />}
    </Page>
  );
}
