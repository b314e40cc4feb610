/** Groups: the list, and one of them with members and policies. */
import { useCallback, useState, type ReactNode } from "react";
import { piece } from "../api/admin";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Section } from "../bucket/section";
import { number } from "../format";
import { Button, Check, Confirm, Empty, Failed, Loading } from "../parts";
import { go, href, useRoute } from "../router";
import { text } from "../strings";
import { CreateHolder } from "./create-holder";
import { HolderPolicies } from "./holder-policies";
import type { Holder, User } from "./kinds";

const words = text.access.group;

export function Groups(): ReactNode {
  const { api } = useSession();
  const { path } = useRoute();
  const groups = useLoad(useCallback((signal) => api.get<Holder[]>("/groups", {}, signal), [api]));
  const users = useLoad(useCallback((signal) => api.get<User[]>("/users", {}, signal), [api]));
  const [creating, setCreating] = useState(false);
  const [, , account, name] = path;
  if (account !== undefined && name !== undefined) return <One key={`${account}/${name}`} account={account} name={name} />;
  const members = (group: Holder): number => (users.data ?? []).filter((user) => user.account === group.account && user.groups.includes(group.name)).length;
  return (
    <>
      <div className="row end"><Button kind="main" icon="plus" onClick={() => { setCreating(true); }}>{words.create}</Button></div>
      <Failed failure={groups.failure ?? users.failure} retry={() => { groups.reload(); users.reload(); }} />
      {groups.data === undefined && groups.failure === undefined && <Loading />}
      {groups.data?.length === 0 && <div className="panel"><Empty icon="people" title={words.emptyTitle}><p className="muted">{words.empty}</p></Empty></div>}
      {groups.data !== undefined && groups.data.length > 0 && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.access.tabs.groups}</caption>
            <thead><tr><th scope="col">{text.access.name}</th><th scope="col">{text.access.account}</th><th scope="col" className="number">{text.access.members}</th><th scope="col" className="number">{text.access.policies}</th></tr></thead>
            <tbody>
              {groups.data.map((one) => (
                <tr key={`${one.account}/${one.name}`}>
                  <td><a className="name" href={href(["access", "groups", one.account, one.name])}>{one.name}</a></td>
                  <td className="mono muted">{one.account}</td>
                  <td className="number">{users.data === undefined ? "–" : number(members(one))}</td>
                  <td className="number">{number(Object.keys(one.policies).length + one.attached.length)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {creating && <CreateHolder kind="group" onClose={() => { setCreating(false); }} onMade={(made) => { go(["access", "groups", made.account, made.name]); }} />}
    </>
  );
}

function One({ account, name }: { account: string; name: string }): ReactNode {
  const { api } = useSession();
  const path = `/groups/${piece(account)}/${piece(name)}`;
  const group = useLoad(useCallback((signal) => api.get<Holder>(path, {}, signal), [api, path]));
  const users = useLoad(useCallback((signal) => api.get<User[]>("/users", { account }, signal), [api, account]));
  const [removing, setRemoving] = useState(false);
  const change = useAction();
  const removal = useAction();
  return (
    <>
      <div className="row between"><a href={href(["access", "groups"])}>← {words.back}</a></div>
      <Failed failure={group.failure} retry={group.reload} />
      {group.data === undefined ? group.failure === undefined && <Loading /> : (
        <div className="panel">
          <Section title={name} help={`${text.access.account} ${account}. ${words.membersHelp}`}>
            <h3>{text.access.members}</h3>
            <Failed failure={change.failure ?? users.failure} />
            {users.data?.length === 0 && <p className="muted">{words.noUsers}</p>}
            {(users.data ?? []).map((user) => (
              <Check key={user.name} label={user.name} checked={user.groups.includes(name)} disabled={change.busy} onChange={(event) => {
                const method = event.target.checked ? "PUT" : "DELETE";
                void change.run(async () => { await api.ask(method, `/users/${piece(account)}/${piece(user.name)}/groups/${piece(name)}`); users.reload(); });
              }} />
            ))}
          </Section>
          <HolderPolicies kind="group" holder={group.data} reload={group.reload} />
          <Section title={words.remove} help={words.removeWarn}><div><Button kind="danger" onClick={() => { setRemoving(true); }}>{words.remove}</Button></div></Section>
        </div>
      )}
      {removing && (
        <Confirm title={words.removeTitle(name)} action={text.remove} busy={removal.busy} failure={removal.failure} onClose={() => { setRemoving(false); }} onConfirm={() => {
          void removal.run(async () => {
            await api.ask("DELETE", path);
            tell(text.object.deleted);
            go(["access", "groups"]);
          });
        }}><p>{words.removeWarn}</p></Confirm>
      )}
    </>
  );
}
