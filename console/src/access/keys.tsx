/** Access keys of all, as an administrator sees them; and the table of them that a user's page shows, too. */
import { useCallback, useState, type ReactNode } from "react";
import { piece } from "../api/admin";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { when } from "../format";
import { Button, Confirm, Empty, Failed, IconButton, Loading, Search } from "../parts";
import { text } from "../strings";
import { KeyForm, KeyMade } from "./key-form";
import { ROOT, type Key, type Made, type User } from "./kinds";

const words = text.access.key;

export function Keys(): ReactNode {
  const { api } = useSession();
  const keys = useLoad(useCallback((signal) => api.get<Key[]>("/keys", {}, signal), [api]));
  const users = useLoad(useCallback((signal) => api.get<User[]>("/users", {}, signal), [api]));
  const [typed, setTyped] = useState("");
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<Made>();
  const found = (keys.data ?? []).filter((one) => `${one.access_key} ${one.account}/${one.user} ${one.description}`.toLowerCase().includes(typed.toLowerCase()));
  return (
    <>
      <div className="row between">
        <Search label={words.search} value={typed} onChange={setTyped} />
        <Button kind="main" icon="plus" disabled={users.data === undefined} onClick={() => { setCreating(true); }}>{words.create}</Button>
      </div>
      <Failed failure={keys.failure ?? users.failure} retry={() => { keys.reload(); users.reload(); }} />
      {keys.data === undefined && keys.failure === undefined && <Loading />}
      {keys.data !== undefined && (found.length > 0 ? <KeyTable keys={found} reload={keys.reload} /> : (
        <div className="panel">{typed === "" ? <Empty icon="key" title={words.emptyTitle}><p className="muted">{words.empty}</p></Empty> : <Empty icon="search" title={text.nothingFound} />}</div>
      ))}
      {creating && <KeyForm users={users.data ?? []} onClose={() => { setCreating(false); }} onMade={(one) => { setMade(one); keys.reload(); }} />}
      {made !== undefined && <KeyMade made={made} onClose={() => { setMade(undefined); }} />}
    </>
  );
}

export function KeyTable({ keys, reload, owners = true }: { keys: readonly Key[]; reload: () => void; owners?: boolean }): ReactNode {
  const session = useSession();
  const [editing, setEditing] = useState<Key>();
  const [revoking, setRevoking] = useState<Key>();
  const switching = useAction();
  const removal = useAction();
  const change = (one: Key): void => {
    void switching.run(async () => {
      await session.api.ask("PATCH", `/keys/${piece(one.access_key)}`, { body: { enabled: !one.enabled } });
      reload();
    });
  };
  return (
    <>
      <Failed failure={switching.failure} />
      <div className={owners ? "panel scroll" : "scroll"}>
        <table>
          <caption className="hidden">{text.access.keys}</caption>
          <thead>
            <tr>
              <th scope="col">{words.key}</th>
              {owners && <th scope="col">{words.owner}</th>}
              <th scope="col">{words.scope}</th>
              <th scope="col">{words.expires}</th>
              <th scope="col">{text.access.state}</th>
              <th scope="col"><span className="hidden">{text.buckets.actions}</span></th>
            </tr>
          </thead>
          <tbody>
            {keys.map((one) => (
              <tr key={one.access_key}>
                <td><span className="name mono">{one.access_key}</span>{one.access_key === session.credentials.accessKeyId && <> <span className="badge good">{words.yours}</span></>}{one.description !== "" && <div className="small muted">{one.description}</div>}</td>
                {owners && <td>{one.user === "" ? words.account(one.account) : one.account === ROOT ? one.user : `${one.account}/${one.user}`}</td>}
                <td className="small">{scopeText(one)}</td>
                <td className="muted">{one.expires === null ? words.never : when(one.expires)}</td>
                <td><KeyState found={one} /></td>
                <td>
                  <span className="row end nowrap">
                    <Button kind="small" disabled={switching.busy} aria-label={one.enabled ? words.disable(one.access_key) : words.enable(one.access_key)} onClick={() => { change(one); }}>{one.enabled ? text.access.disable : text.access.enable}</Button>
                    <IconButton label={words.change(one.access_key)} icon="gear" onClick={() => { setEditing(one); }} />
                    <IconButton label={words.revokeOne(one.access_key)} icon="trash" onClick={() => { setRevoking(one); }} />
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {editing !== undefined && <KeyForm found={editing} users={[]} owner="" onClose={() => { setEditing(undefined); }} onMade={reload} />}
      {revoking !== undefined && (
        <Confirm title={words.revokeTitle(revoking.access_key)} action={words.revoke} busy={removal.busy} failure={removal.failure} onClose={() => { setRevoking(undefined); }} onConfirm={() => {
          void removal.run(async () => {
            await session.api.ask("DELETE", `/keys/${piece(revoking.access_key)}`);
            setRevoking(undefined);
            tell(words.revoked);
            reload();
          });
        }}><p>{words.revokeWarn}</p></Confirm>
      )}
    </>
  );
}

function KeyState({ found }: { found: Key }): ReactNode {
  const [now] = useState(() => Date.now());
  if (!found.enabled) return <span className="badge warning">{text.access.disabled}</span>;
  if (found.expires !== null && new Date(found.expires).getTime() <= now) return <span className="badge error">{words.expired}</span>;
  return <span className="badge good">{text.access.enabled}</span>;
}

function scopeText({ scope }: Key): string {
  if (scope === null) return words.everything;
  const parts: [string, readonly string[] | undefined][] = [[words.actions, scope.actions], [words.buckets, scope.buckets], [words.prefixes, scope.prefixes], [words.networks, scope.networks]];
  return parts.filter(([, values]) => (values ?? []).length > 0).map(([name, values]) => `${name}: ${(values ?? []).join(", ")}`).join("; ");
}
