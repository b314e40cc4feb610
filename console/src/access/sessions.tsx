/** What there is to be known of sessions: they are kept nowhere. */
import { type ReactNode } from "react";
import { useSession } from "../api/state";
import { Section } from "../bucket/section";
import { href } from "../router";
import { text } from "../strings";

const words = text.access.sessions;

export function Sessions(): ReactNode {
  const { credentials } = useSession();
  return (
    <div className="panel">
      <Section title={words.yours}>
        <dl className="facts">
          <dt>{words.key}</dt><dd className="mono">{credentials.accessKeyId}</dd>
          <dt>{words.kind}</dt><dd>{credentials.sessionToken === undefined ? words.permanent : words.temporary}</dd>
        </dl>
      </Section>
      <Section title={words.ends} help={words.lead}>
        <ul className="bullets">{words.endings.map((line) => <li key={line}>{line}</li>)}</ul>
        <p>{words.end} <a href={href(["access", "keys"])}>{words.toKeys}</a>, <a href={href(["access", "users"])}>{words.toUsers}</a>.</p>
      </Section>
    </div>
  );
}
