/** A key is made or changed here, and its secret is shown the one time that it can be. */
import { useState, type ReactNode } from "react";
import { piece } from "../api/admin";
import { useAction } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Check, Choice, Copy, Dialog, Failed, Input, Notice } from "../parts";
import { when } from "../format";
import { text } from "../strings";
import { LIMITS, endOf, wrongLimit, type Limits } from "./key-fields";
import { ROOT, split, type Key, type Made, type Scope, type User } from "./kinds";

const words = text.access.key;

const LABELS = { actions: [words.actions, words.actionsHelp], buckets: [words.buckets, words.bucketsHelp], prefixes: [words.prefixes, words.prefixesHelp], networks: [words.networks, words.networksHelp] } as const;

const joined = (scope: Scope | null): Limits => ({ actions: (scope?.actions ?? []).join(", "), buckets: (scope?.buckets ?? []).join(", "), prefixes: (scope?.prefixes ?? []).join(", "), networks: (scope?.networks ?? []).join(", ") });

interface Props {
  /** A key that there is; else one is made. */
  readonly found?: Key;
  readonly users: readonly User[];
  /** ACCOUNT/USER for whom it is made, where that is settled. */
  readonly owner?: string;
  readonly onClose: () => void;
  readonly onMade: (made: Made | undefined) => void;
}

export function KeyForm({ found, users, owner: settled, onClose, onMade }: Props): ReactNode {
  const { api } = useSession();
  const [owner, setOwner] = useState(settled ?? (users[0] === undefined ? `${ROOT}/` : `${users[0].account}/${users[0].name}`));
  const [description, setDescription] = useState(found?.description ?? "");
  const [after, setAfter] = useState(found === undefined ? "" : "keep");
  const [date, setDate] = useState("");
  const [limited, setLimited] = useState(found?.scope != null);
  const [limits, setLimits] = useState<Limits>(joined(found?.scope ?? null));
  const [tried, setTried] = useState(false);
  const { busy, failure, run, clear } = useAction();
  const [opened] = useState(() => Date.now());
  const wrongDate = after === "date" && endOf(after, date, opened) === undefined ? words.pastDate : undefined;
  const wrongs = Object.fromEntries(LIMITS.map((name) => [name, limited ? wrongLimit(name, limits[name]) : undefined]));
  const save = async (): Promise<void> => {
    setTried(true);
    if (wrongDate !== undefined || LIMITS.some((name) => wrongs[name] !== undefined)) return;
    const scope = limited ? Object.fromEntries(LIMITS.map((name) => [name, split(limits[name])]).filter(([, values]) => values?.length !== 0)) as Scope : {};
    const expires = after === "keep" ? undefined : endOf(after, date, Date.now());
    let made: Made | undefined;
    const done = await run(async () => {
      if (found !== undefined) {
        await api.ask("PATCH", `/keys/${piece(found.access_key)}`, { body: { description, scope, ...(expires !== undefined && { expires }) } });
        return;
      }
      const at = owner.indexOf("/");
      made = await api.ask<Made>("POST", "/keys", { body: { account: owner.slice(0, at), ...(at + 1 < owner.length && { user: owner.slice(at + 1) }), description, expires: expires ?? null, ...scope } });
    });
    if (!done) return;
    if (found !== undefined) tell(text.saved);
    onMade(made);
    onClose();
  };
  const owners: [string, string][] = [...users.map((user): [string, string] => [`${user.account}/${user.name}`, user.account === ROOT ? user.name : `${user.account}/${user.name}`]), [`${ROOT}/`, words.account(ROOT)]];
  const afters = Object.entries(words.afters);
  return (
    <Dialog title={found === undefined ? words.title : words.editTitle(found.access_key)} onClose={onClose} onSubmit={() => { void save(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{found === undefined ? words.create : text.save}</Button></>}>
      {found === undefined && settled === undefined && <Choice label={words.owner} value={owner} options={owners} onChange={(event) => { setOwner(event.target.value); }} />}
      <Input label={words.description} help={words.descriptionHelp} value={description} maxLength={1024} onChange={(event) => { setDescription(event.target.value); }} />
      <Choice label={words.after} value={after} options={found === undefined ? afters : [["keep", words.keepExpiry], ...afters]} help={found === undefined ? undefined : words.expiresNow(found.expires === null ? words.never : when(found.expires))} onChange={(event) => { setAfter(event.target.value); }} />
      {after === "date" && <Input label={words.date} type="datetime-local" value={date} wrong={tried || date !== "" ? wrongDate : undefined} onChange={(event) => { setDate(event.target.value); }} />}
      <Check label={words.limit} help={words.limitHelp} checked={limited} onChange={(event) => { setLimited(event.target.checked); }} />
      {limited && LIMITS.map((name) => (
        <Input key={name} label={LABELS[name][0]} help={LABELS[name][1]} value={limits[name]} wrong={tried || limits[name] !== "" ? wrongs[name] : undefined} spellCheck={false} onChange={(event) => { setLimits({ ...limits, [name]: event.target.value }); clear(); }} />
      ))}
      <Failed failure={failure} />
    </Dialog>
  );
}

/** The secret, this once. Only the button says that it was copied: a stray Escape does not throw it away. */
export function KeyMade({ made, onClose }: { made: Made; onClose: () => void }): ReactNode {
  return (
    <Dialog title={words.madeTitle} onClose={() => undefined} footer={<Button kind="main" onClick={onClose}>{words.done}</Button>}>
      <Notice kind="warning">{words.madeOnce}</Notice>
      <dl className="facts">
        <dt>{words.key}</dt><dd><code>{made.access_key}</code><Copy value={made.access_key} label={words.copyKey} /></dd>
        <dt>{words.secret}</dt><dd><code>{made.secret_key}</code><Copy value={made.secret_key} label={words.copySecret} /></dd>
      </dl>
    </Dialog>
  );
}
