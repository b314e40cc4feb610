/** Users: the list, and one of them with groups, policies and keys. */
import { useCallback, useState, type ReactNode } from "react";
import { piece } from "../api/admin";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Section } from "../bucket/section";
import { number } from "../format";
import { Button, Check, Confirm, Empty, Failed, Loading, Search } from "../parts";
import { go, href, useRoute } from "../router";
import { text } from "../strings";
import { CreateHolder } from "./create-holder";
import { HolderPolicies } from "./holder-policies";
import { KeyForm, KeyMade } from "./key-form";
import { KeyTable } from "./keys";
import type { Holder, Key, Made, User } from "./kinds";

const words = text.access.users;

export function Users(): ReactNode {
  const { api } = useSession();
  const { path } = useRoute();
  const users = useLoad(useCallback((signal) => api.get<User[]>("/users", {}, signal), [api]));
  const [creating, setCreating] = useState(false);
  const [typed, setTyped] = useState("");
  const [, , account, name] = path;
  if (account !== undefined && name !== undefined) return <One key={`${account}/${name}`} account={account} name={name} />;
  const found = (users.data ?? []).filter((one) => `${one.account}/${one.name}`.toLowerCase().includes(typed.toLowerCase()));
  return (
    <>
      <div className="row between">
        <Search label={words.search} value={typed} onChange={setTyped} />
        <Button kind="main" icon="plus" onClick={() => { setCreating(true); }}>{words.create}</Button>
      </div>
      <Failed failure={users.failure} retry={users.reload} />
      {users.data === undefined && users.failure === undefined && <Loading />}
      {users.data !== undefined && found.length === 0 && (
        <div className="panel">{typed === "" ? <Empty icon="people" title={words.emptyTitle}><p className="muted">{words.empty}</p></Empty> : <Empty icon="search" title={text.nothingFound} />}</div>
      )}
      {found.length > 0 && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.access.tabs.users}</caption>
            <thead><tr><th scope="col">{text.access.name}</th><th scope="col">{text.access.account}</th><th scope="col">{text.access.groups}</th><th scope="col" className="number">{text.access.policies}</th><th scope="col">{text.access.state}</th></tr></thead>
            <tbody>
              {found.map((one) => (
                <tr key={`${one.account}/${one.name}`}>
                  <td><a className="name" href={href(["access", "users", one.account, one.name])}>{one.name}</a></td>
                  <td className="mono muted">{one.account}</td>
                  <td>{one.groups.length === 0 ? "–" : one.groups.join(", ")}</td>
                  <td className="number">{number(Object.keys(one.policies).length + one.attached.length)}</td>
                  <td><span className={`badge ${one.enabled ? "good" : "warning"}`}>{one.enabled ? text.access.enabled : text.access.disabled}</span></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {creating && <CreateHolder kind="user" onClose={() => { setCreating(false); }} onMade={(made) => { go(["access", "users", made.account, made.name]); }} />}
    </>
  );
}

function One({ account, name }: { account: string; name: string }): ReactNode {
  const { api } = useSession();
  const path = `/users/${piece(account)}/${piece(name)}`;
  const user = useLoad(useCallback((signal) => api.get<User>(path, {}, signal), [api, path]));
  const groups = useLoad(useCallback((signal) => api.get<Holder[]>("/groups", { account }, signal), [api, account]));
  const keys = useLoad(useCallback((signal) => api.get<Key[]>("/keys", { account }, signal), [api, account]));
  const [creating, setCreating] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [made, setMade] = useState<Made>();
  const change = useAction();
  const removal = useAction();
  const found = user.data;
  const own = (keys.data ?? []).filter((one) => one.user === name);
  const set = (ask: () => Promise<unknown>): void => { void change.run(async () => { await ask(); user.reload(); }); };
  return (
    <>
      <div className="row between"><a href={href(["access", "users"])}>← {words.back}</a></div>
      <Failed failure={user.failure} retry={user.reload} />
      {found === undefined ? user.failure === undefined && <Loading /> : (
        <div className="panel" aria-busy={user.loading}>
          <Section title={name} help={`${text.access.account} ${account}`}>
            <Check label={text.access.enabled} help={words.stateHelp} checked={found.enabled} disabled={change.busy} onChange={(event) => { const enabled = event.target.checked; set(() => api.ask("PATCH", path, { body: { enabled } })); }} />
            <Failed failure={change.failure} />
          </Section>
          <Section title={text.access.groups} help={words.groupsHelp}>
            <Failed failure={groups.failure} />
            {groups.data?.length === 0 && <p className="muted">{words.noGroups}</p>}
            {(groups.data ?? []).map((group) => (
              <Check key={group.name} label={group.name} checked={found.groups.includes(group.name)} disabled={change.busy} onChange={(event) => { const method = event.target.checked ? "PUT" : "DELETE"; set(() => api.ask(method, `${path}/groups/${piece(group.name)}`)); }} />
            ))}
          </Section>
          <HolderPolicies kind="user" holder={found} reload={user.reload} />
          <Section title={text.access.keys} help={words.keysHelp}>
            <Failed failure={keys.failure} retry={keys.reload} />
            {keys.data !== undefined && own.length === 0 && <p className="muted">{words.noKeys}</p>}
            {own.length > 0 && <KeyTable keys={own} reload={keys.reload} owners={false} />}
            <div><Button icon="plus" onClick={() => { setCreating(true); }}>{text.access.key.create}</Button></div>
          </Section>
          <Section title={words.remove} help={words.removeWarn}><div><Button kind="danger" onClick={() => { setRemoving(true); }}>{words.remove}</Button></div></Section>
        </div>
      )}
      {creating && <KeyForm users={[]} owner={`${account}/${name}`} onClose={() => { setCreating(false); }} onMade={(one) => { setMade(one); keys.reload(); }} />}
      {made !== undefined && <KeyMade made={made} onClose={() => { setMade(undefined); }} />}
      {removing && (
        <Confirm title={words.removeTitle(name)} action={text.remove} busy={removal.busy} failure={removal.failure} onClose={() => { setRemoving(false); }} onConfirm={() => {
          void removal.run(async () => {
            await api.ask("DELETE", path);
            tell(text.object.deleted);
            go(["access", "users"]);
          });
        }}><p>{words.removeWarn}</p></Confirm>
      )}
    </>
  );
}
