/** Roles of the account of the key that is signed in, by IAM. */
import { useCallback, useState, type ReactNode } from "react";
import { first, iam, iamAll } from "../api/iam";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Section } from "../bucket/section";
import { duration, when } from "../format";
import { Button, Choice, Confirm, Empty, Failed, IconButton, Loading } from "../parts";
import { go, href, useRoute } from "../router";
import { text } from "../strings";
import { TRUST } from "./policy";
import { PolicyDialog } from "./policy-dialog";

const words = text.access.roles;

export function Roles(): ReactNode {
  const session = useSession();
  const { path } = useRoute();
  const roles = useLoad(useCallback((signal) => iamAll(session, "ListRoles", {}, signal), [session]));
  const [creating, setCreating] = useState(false);
  const name = path[2];
  if (name !== undefined) return <One key={name} name={name} />;
  return (
    <>
      <div className="row between"><p className="muted">{text.access.managed.own}</p><Button kind="main" icon="plus" onClick={() => { setCreating(true); }}>{words.create}</Button></div>
      <Failed failure={roles.failure} retry={roles.reload} />
      {roles.data === undefined && roles.failure === undefined && <Loading />}
      {roles.data?.length === 0 && <div className="panel"><Empty icon="people" title={words.emptyTitle}><p className="muted">{words.empty}</p></Empty></div>}
      {roles.data !== undefined && roles.data.length > 0 && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.access.tabs.roles}</caption>
            <thead><tr><th scope="col">{text.access.name}</th><th scope="col">ARN</th><th scope="col">{words.longest}</th><th scope="col">{text.access.key.created}</th></tr></thead>
            <tbody>
              {roles.data.map((one) => (
                <tr key={first(one, "Arn")}>
                  <td><a className="name" href={href(["access", "roles", first(one, "RoleName")])}>{first(one, "RoleName")}</a></td>
                  <td className="mono small">{first(one, "Arn")}</td>
                  <td className="muted">{duration(Number(first(one, "MaxSessionDuration") || "3600"))}</td>
                  <td className="muted">{when(first(one, "CreateDate"))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {creating && (
        <PolicyDialog trust title={words.title} document={TRUST} note={words.trustHelp} onClose={() => { setCreating(false); }} onSave={async (typed, document) => {
          await iam(session, "CreateRole", { RoleName: typed, AssumeRolePolicyDocument: JSON.stringify(document) });
          go(["access", "roles", typed]);
        }} />
      )}
    </>
  );
}

interface Role {
  readonly arn: string;
  readonly trust: object;
  readonly attached: readonly string[];
  readonly own: readonly string[];
  readonly all: readonly (readonly [string, string])[];
}

function One({ name }: { name: string }): ReactNode {
  const session = useSession();
  const role = useLoad(useCallback(async (signal): Promise<Role> => {
    const of = { RoleName: name };
    const [found, attached, own, all] = await Promise.all([iam(session, "GetRole", of, signal), iamAll(session, "ListAttachedRolePolicies", of, signal), iamAll(session, "ListRolePolicies", of, signal), iamAll(session, "ListPolicies", {}, signal)]);
    return {
      arn: first(found, "Arn"),
      trust: JSON.parse(decodeURIComponent(first(found, "AssumeRolePolicyDocument"))) as object,
      attached: attached.map((one) => first(one, "PolicyArn")),
      own: own.map((one) => one.textContent ?? ""),
      all: all.map((one) => [first(one, "Arn"), first(one, "PolicyName")] as const),
    };
  }, [session, name]));
  const [editing, setEditing] = useState<{ readonly policy?: string; readonly document?: object; readonly trust?: true }>();
  const [removing, setRemoving] = useState(false);
  const [chosen, setChosen] = useState("");
  const { busy, failure, run } = useAction();
  const removal = useAction();
  const found = role.data;
  const change = (action: string, form: Record<string, string>): void => {
    void run(async () => {
      await iam(session, action, { RoleName: name, ...form });
      setChosen("");
      tell(text.saved);
      role.reload();
    });
  };
  const open = (policy: string): void => {
    void run(async () => {
      const answer = await iam(session, "GetRolePolicy", { RoleName: name, PolicyName: policy });
      setEditing({ policy, document: JSON.parse(decodeURIComponent(first(answer, "PolicyDocument"))) as object });
    });
  };
  const policies = text.access.policy;
  return (
    <>
      <div className="row between"><a href={href(["access", "roles"])}>← {text.access.tabs.roles}</a></div>
      <Failed failure={role.failure} retry={role.reload} />
      <Failed failure={failure} />
      {found === undefined ? role.failure === undefined && <Loading /> : (
        <div className="panel">
          <Section title={words.trust} help={words.trustHelp}>
            <div className="mono small muted">{found.arn}</div>
            <pre className="code whole">{JSON.stringify(found.trust, null, 2)}</pre>
            <div><Button onClick={() => { setEditing({ trust: true, document: found.trust }); }}>{text.access.key.edit}</Button></div>
          </Section>
          <Section title={policies.inline} help={policies.inlineHelp}>
            {found.own.length === 0 && <p className="muted">{policies.none}</p>}
            <ul className="plain stack tight">
              {found.own.map((one) => (
                <li key={one} className="row between">
                  <span className="name">{one}</span>
                  <span className="row"><IconButton label={policies.edit(one)} icon="gear" disabled={busy} onClick={() => { open(one); }} /><IconButton label={policies.removeOne(one)} icon="trash" disabled={busy} onClick={() => { change("DeleteRolePolicy", { PolicyName: one }); }} /></span>
                </li>
              ))}
            </ul>
            <div><Button icon="plus" onClick={() => { setEditing({}); }}>{policies.add}</Button></div>
          </Section>
          <Section title={policies.attached} help={policies.attachedHelp}>
            <ul className="plain stack tight">
              {found.attached.map((arn) => <li key={arn} className="row between"><span className="name" title={arn}>{arn.slice(arn.lastIndexOf("/") + 1)}</span><IconButton label={policies.detach(arn.slice(arn.lastIndexOf("/") + 1))} icon="close" disabled={busy} onClick={() => { change("DetachRolePolicy", { PolicyArn: arn }); }} /></li>)}
            </ul>
            <form className="row end" onSubmit={(event) => { event.preventDefault(); change("AttachRolePolicy", { PolicyArn: chosen }); }}>
              <div className="grow"><Choice label={policies.attachWhich} value={chosen} options={[["", policies.examples[""]], ...found.all.filter(([arn]) => !found.attached.includes(arn))]} onChange={(event) => { setChosen(event.target.value); }} /></div>
              <Button type="submit" className="beside" disabled={busy || chosen === ""}>{policies.attach}</Button>
            </form>
          </Section>
          <Section title={words.remove} help={words.removeWarn}><div><Button kind="danger" onClick={() => { setRemoving(true); }}>{words.removeTitle(name).replace("?", "")}</Button></div></Section>
        </div>
      )}
      {editing !== undefined && (
        <PolicyDialog title={editing.trust ? words.trust : editing.policy ?? policies.add} trust={editing.trust === true} {...(editing.trust ? { name } : editing.policy !== undefined && { name: editing.policy })} {...(editing.document !== undefined && { document: editing.document })} taken={found?.own ?? []} onClose={() => { setEditing(undefined); }}
          onSave={async (typed, document) => {
            const json = JSON.stringify(document);
            if (editing.trust) await iam(session, "UpdateAssumeRolePolicy", { RoleName: name, PolicyDocument: json });
            else await iam(session, "PutRolePolicy", { RoleName: name, PolicyName: typed, PolicyDocument: json });
            role.reload();
          }} />
      )}
      {removing && (
        <Confirm title={words.removeTitle(name)} action={words.remove} busy={removal.busy} failure={removal.failure} onClose={() => { setRemoving(false); }} onConfirm={() => {
          void removal.run(async () => {
            for (const arn of found?.attached ?? []) await iam(session, "DetachRolePolicy", { RoleName: name, PolicyArn: arn });
            for (const one of found?.own ?? []) await iam(session, "DeleteRolePolicy", { RoleName: name, PolicyName: one });
            await iam(session, "DeleteRole", { RoleName: name });
            tell(text.object.deleted);
            go(["access", "roles"]);
          });
        }}><p>{words.removeWarn}</p></Confirm>
      )}
    </>
  );
}
