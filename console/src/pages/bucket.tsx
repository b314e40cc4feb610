/** One bucket: its objects, and its settings in tabs. */
import { type ReactNode } from "react";
import { Page } from "../parts";
import { href, useRoute } from "../router";
import { Browser } from "../objects/browser";
import { text } from "../strings";

export default function Bucket({ name }: { name: string }): ReactNode {
  const { query } = useRoute();
  const tab = query.get("tab") ?? "objects";
  return (
    <Page title={name}>
      <nav className="tabs" aria-label={name}>
        <a href={href(["buckets", name])} aria-current={tab === "objects" ? "page" : undefined}>{text.objects.tab}</a>
      </nav>
      {tab === "objects" && <Browser key={name} bucket={name} />}
    </Page>
  );
}
