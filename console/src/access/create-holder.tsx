/** A new user or group. */
import { useState, type ReactNode } from "react";
import { useAction } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Dialog, Failed, Input } from "../parts";
import { text } from "../strings";
import { isName, type Holder } from "./kinds";

export function CreateHolder({ kind, onClose, onMade }: { kind: "user" | "group"; onClose: () => void; onMade: (made: Holder) => void }): ReactNode {
  const words = kind === "user" ? text.access.users : text.access.group;
  const { api } = useSession();
  const [name, setName] = useState("");
  const [account, setAccount] = useState("");
  const [tried, setTried] = useState(false);
  const { busy, failure, run, clear } = useAction();
  const wrong = isName(name) ? undefined : text.access.wrongName;
  const wrongAccount = account === "" || isName(account) ? undefined : text.access.wrongName;
  const taken = failure?.code === "EntityAlreadyExists" ? text.access.taken(name) : undefined;
  const noAccount = failure?.code === "NoSuchEntity" ? failure.message : undefined;
  const create = async (): Promise<void> => {
    setTried(true);
    if (wrong !== undefined || wrongAccount !== undefined) return;
    let made: Holder | undefined;
    const done = await run(async () => { made = await api.ask<Holder>("POST", `/${kind}s`, { body: { name, ...(account !== "" && { account }) } }); });
    if (!done || made === undefined) return;
    tell(words.made(name));
    onMade(made);
  };
  return (
    <Dialog title={words.title} onClose={onClose} onSubmit={() => { void create(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{words.create}</Button></>}>
      <Input label={text.access.name} value={name} autoFocus spellCheck={false} autoCapitalize="none" wrong={(tried || name !== "" ? wrong : undefined) ?? taken} onChange={(event) => { setName(event.target.value); clear(); }} />
      <Input label={`${text.access.account} (${text.optional})`} help={text.access.accountHelp} value={account} spellCheck={false} wrong={wrongAccount ?? noAccount} onChange={(event) => { setAccount(event.target.value); clear(); }} />
      {taken === undefined && noAccount === undefined && <Failed failure={failure} />}
    </Dialog>
  );
}
