/** The server: what it is and where it listens, disk, certificates, settings in force, jobs. */
import { type ReactNode } from "react";
import { Page } from "../parts";
import { Jobs } from "../operating/jobs";
import { ServerOverview } from "../operating/overview";
import { ServerSettings } from "../operating/settings";
import { href, useRoute } from "../router";
import { text } from "../strings";

const TABS = { overview: ServerOverview, settings: ServerSettings, jobs: Jobs };

type Tab = keyof typeof TABS;

export default function Server(): ReactNode {
  const named = useRoute().path[1] ?? "overview";
  const tab = named in TABS ? named as Tab : "overview";
  const Shown = TABS[tab];
  return (
    <Page title={text.pages.server} lead={text.server.lead}>
      <nav className="tabs" aria-label={text.pages.server}>
        {(Object.keys(TABS) as Tab[]).map((one) => <a key={one} href={href(["server", one])} aria-current={one === tab ? "page" : undefined}>{text.server.tabs[one]}</a>)}
      </nav>
      <Shown key={tab} />
    </Page>
  );
}
