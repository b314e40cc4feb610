/** The policies of a user or a group: its own, and managed ones. */
import { useCallback, useState, type ReactNode } from "react";
import { piece } from "../api/admin";
import { first, iam, iamAll } from "../api/iam";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Section } from "../bucket/section";
import { Button, Choice, Confirm, Failed, IconButton } from "../parts";
import { text } from "../strings";
import { ROOT, type Holder } from "./kinds";
import { PolicyDialog } from "./policy-dialog";

const words = text.access.policy;

export function HolderPolicies({ kind, holder, reload }: { kind: "user" | "group"; holder: Holder; reload: () => void }): ReactNode {
  const { api } = useSession();
  const [editing, setEditing] = useState<string>();
  const [removing, setRemoving] = useState<string>();
  const removal = useAction();
  const path = (name: string): string => `/${kind}s/${piece(holder.account)}/${piece(holder.name)}/policies/${piece(name)}`;
  const names = Object.keys(holder.policies);
  return (
    <>
      <Section title={words.inline} help={words.inlineHelp}>
        {names.length === 0 && <p className="muted">{words.none}</p>}
        {names.length > 0 && (
          <ul className="plain stack tight">
            {names.map((name) => (
              <li key={name} className="row between">
                <span className="name">{name}</span>
                <span className="row">
                  <IconButton label={words.edit(name)} icon="gear" onClick={() => { setEditing(name); }} />
                  <IconButton label={words.removeOne(name)} icon="trash" onClick={() => { setRemoving(name); }} />
                </span>
              </li>
            ))}
          </ul>
        )}
        <div><Button icon="plus" onClick={() => { setEditing(""); }}>{words.add}</Button></div>
      </Section>
      {holder.account === ROOT && <Section title={words.attached} help={words.attachedHelp}><Attached kind={kind} holder={holder} reload={reload} /></Section>}
      {editing !== undefined && (
        <PolicyDialog title={editing === "" ? words.add : words.edit(editing)} {...(editing !== "" && { name: editing, document: holder.policies[editing] ?? {} })} taken={names} onClose={() => { setEditing(undefined); }}
          onSave={async (name, document) => { await api.ask("PUT", path(name), { body: document }); reload(); }} />
      )}
      {removing !== undefined && (
        <Confirm title={words.removeTitle(removing)} action={text.remove} busy={removal.busy} failure={removal.failure} onClose={() => { setRemoving(undefined); }} onConfirm={() => {
          void removal.run(async () => {
            await api.ask("DELETE", path(removing));
            setRemoving(undefined);
            reload();
          });
        }}>{null}</Confirm>
      )}
    </>
  );
}

function Attached({ kind, holder, reload }: { kind: "user" | "group"; holder: Holder; reload: () => void }): ReactNode {
  const session = useSession();
  const { busy, failure, run } = useAction();
  const [chosen, setChosen] = useState("");
  const all = useLoad(useCallback(async (signal) => (await iamAll(session, "ListPolicies", {}, signal)).map((one) => [first(one, "Arn"), first(one, "PolicyName")] as const), [session]));
  const [as, who] = kind === "user" ? ["User", "UserName"] : ["Group", "GroupName"];
  const change = (verb: string, arn: string): void => {
    void run(async () => {
      await iam(session, `${verb}${as}Policy`, { [who]: holder.name, PolicyArn: arn });
      setChosen("");
      tell(text.saved);
      reload();
    });
  };
  const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);
  return (
    <>
      {holder.attached.length > 0 && (
        <ul className="plain stack tight">
          {holder.attached.map((arn) => (
            <li key={arn} className="row between"><span className="name" title={arn}>{nameOf(arn)}</span><IconButton label={words.detach(nameOf(arn))} icon="close" disabled={busy} onClick={() => { change("Detach", arn); }} /></li>
          ))}
        </ul>
      )}
      <form className="row end" onSubmit={(event) => { event.preventDefault(); change("Attach", chosen); }}>
        <div className="grow"><Choice label={words.attachWhich} value={chosen} options={[["", words.examples[""]], ...(all.data ?? []).filter(([arn]) => !holder.attached.includes(arn))]} onChange={(event) => { setChosen(event.target.value); }} /></div>
        <Button type="submit" className="beside" disabled={busy || chosen === ""}>{words.attach}</Button>
      </form>
      <Failed failure={failure ?? all.failure} />
    </>
  );
}
