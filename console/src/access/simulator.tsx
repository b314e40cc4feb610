/** The simulator: what the server would decide, and the statement that decides it. */
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { useSession } from "../api/state";
import { readJson } from "../bucket/section";
import { Area, Button, Failed, Icon, Input } from "../parts";
import { filled, Pairs, wrongPairs, type Pair } from "../parts/pairs";
import { text } from "../strings";
import type { Key, User } from "./kinds";
import { wrongIdentityPolicy } from "./policy";

const words = text.access.simulator;
const ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:ListAllMyBuckets", "s3:CreateBucket", "s3:DeleteBucket", "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "s3:BypassGovernanceRetention", "sts:AssumeRole", "iam:CreateUser", "admin:ServerInfo"];

interface Decided {
  readonly allowed: boolean;
  readonly request: string;
  readonly why: readonly string[];
  readonly statements: readonly string[];
  readonly acl: readonly string[];
}

export function Simulator(): ReactNode {
  const { api } = useSession();
  const known = useLoad(useCallback(async (signal) => {
    const [users, keys] = await Promise.all([api.get<User[]>("/users", {}, signal), api.get<Key[]>("/keys", {}, signal)]);
    return [...users.map((one) => `${one.account}/${one.name}`), ...keys.map((one) => one.access_key), "anonymous"];
  }, [api]));
  const [who, setWho] = useState("");
  const [action, setAction] = useState("");
  const [resource, setResource] = useState("");
  const [pairs, setPairs] = useState<readonly Pair[]>([]);
  const [draft, setDraft] = useState("");
  const [tried, setTried] = useState(false);
  const [decided, setDecided] = useState<Decided>();
  const { busy, failure, run, clear } = useAction();
  const read = draft.trim() === "" ? undefined : readJson(draft);
  const wrongDraft = read === undefined ? undefined : read.wrong ?? wrongIdentityPolicy(read.value);
  const missing = (value: string, name: keyof typeof words.missingWords): string | undefined => (tried && value.trim() === "" ? words.missing(words.missingWords[name]) : undefined);
  // The server names no field for these: its words begin alike.
  const said = failure?.kind === "invalid" ? failure.message : "";
  const about = /action/.test(said) ? "action" : /bucket/.test(said) ? "resource" : /condition key/.test(said) ? "conditions" : /^(?:draft|new)\b/.test(said) ? "draft" : said === "" ? "" : "who";
  const at = (field: string): string | undefined => (about === field ? said : undefined);
  const simulate = async (): Promise<void> => {
    setTried(true);
    setDecided(undefined);
    if ([who, action, resource].some((one) => one.trim() === "") || wrongDraft !== undefined || wrongPairs(pairs) !== undefined) return;
    await run(async () => {
      setDecided(await api.ask<Decided>("POST", "/policies/simulate", {
        body: { who: who.trim(), action: action.trim(), resource: resource.trim() === "*" && action.trim().startsWith("s3:") ? "arn:aws:s3:::*" : resource.trim(), conditions: Object.fromEntries(filled(pairs)), ...(read !== undefined && { policies: { draft: read.value } }) },
      }));
    });
  };
  return (
    <div className="stack">
      <p className="muted">{words.lead}</p>
      <div className="beside-each-other">
        <form className="panel padded stack" noValidate onSubmit={(event) => { event.preventDefault(); void simulate(); }}>
          <Input label={words.who} help={words.whoHelp} list="simulator-who" value={who} spellCheck={false} wrong={missing(who, "who") ?? at("who")} onChange={(event) => { setWho(event.target.value); clear(); }} />
          <Input label={words.action} help={words.actionHelp} list="simulator-actions" value={action} spellCheck={false} wrong={missing(action, "action") ?? at("action")} onChange={(event) => { setAction(event.target.value); clear(); }} />
          <Input label={words.resource} help={words.resourceHelp} value={resource} spellCheck={false} wrong={missing(resource, "resource") ?? at("resource")} onChange={(event) => { setResource(event.target.value); clear(); }} />
          <datalist id="simulator-who">{(known.data ?? []).map((one) => <option key={one} value={one} />)}</datalist>
          <datalist id="simulator-actions">{ACTIONS.map((one) => <option key={one} value={one} />)}</datalist>
          <Pairs label={words.conditions} pairs={pairs} wrong={(tried ? wrongPairs(pairs) : undefined) ?? at("conditions")} onChange={(found) => { setPairs(found); clear(); }} />
          <Area label={words.draft} help={words.draftHelp} value={draft} rows={6} className="input short" wrong={wrongDraft ?? at("draft")} onChange={(event) => { setDraft(event.target.value); clear(); }} />
          {said === "" && <Failed failure={failure} />}
          <div><Button type="submit" kind="main" disabled={busy}>{words.ask}</Button></div>
        </form>
        <section className="panel padded stack" aria-live="polite" aria-label={words.deciding}>
          {decided === undefined ? <p className="muted">{words.nothing}</p> : <Verdict decided={decided} />}
        </section>
      </div>
    </div>
  );
}

function Verdict({ decided }: { decided: Decided }): ReactNode {
  return (
    <>
      <div className={`notice ${decided.allowed ? "good" : "error"}`}>
        <Icon name={decided.allowed ? "check" : "close"} />
        <div className="grow"><strong>{decided.allowed ? words.allowed : words.denied}</strong><div className="more small">{decided.request}</div></div>
      </div>
      <h3>{words.deciding}</h3>
      <ul className="plain stack tight">{decided.why.map((line) => <li key={line}>{line}</li>)}</ul>
      {decided.statements.length > 0 && <><h3>{words.statements}</h3><pre className="code whole">{decided.statements.join("\n")}</pre></>}
      {decided.acl.length > 0 && <><h3>{words.acl}</h3><ul className="plain small muted">{decided.acl.map((line) => <li key={line}>{line}</li>)}</ul></>}
    </>
  );
}
