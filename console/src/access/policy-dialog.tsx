/** A policy with its name, as JSON: new, or one that there is. What was typed stays until it is saved. */
import { useState, type ReactNode } from "react";
import { useAction } from "../api/load";
import { tell } from "../api/state";
import { readJson } from "../bucket/section";
import { Area, Button, Choice, Dialog, Failed, Input, Notice } from "../parts";
import { text } from "../strings";
import { isName } from "./kinds";
import { EXAMPLES, wrongIdentityPolicy } from "./policy";

const words = text.access.policy;

interface Props {
  readonly title: string;
  /** Of a policy that there is; then it cannot be changed. */
  readonly name?: string;
  readonly document?: object;
  /** Names that are taken. */
  readonly taken?: readonly string[];
  readonly readOnly?: string;
  readonly note?: string;
  readonly trust?: boolean;
  readonly onSave: (name: string, document: object) => Promise<void>;
  readonly onClose: () => void;
}

export function PolicyDialog({ title, name: known, document, taken = [], readOnly, note, trust = false, onSave, onClose }: Props): ReactNode {
  const [name, setName] = useState(known ?? "");
  const [typed, setTyped] = useState(document === undefined ? "" : JSON.stringify(document, null, 2));
  const [tried, setTried] = useState(false);
  const { busy, failure, run, clear } = useAction();
  const read = readJson(typed);
  const wrongName = known !== undefined ? undefined : taken.includes(name) ? text.access.taken(name) : isName(name) ? undefined : text.access.wrongName;
  const wrong = read.wrong ?? wrongIdentityPolicy(read.value, trust);
  const refused = failure?.kind === "invalid" ? failure.message : undefined;
  const save = async (): Promise<void> => {
    setTried(true);
    if (wrongName !== undefined || wrong !== undefined) return;
    const done = await run(() => onSave(name, read.value as object));
    if (!done) return;
    tell(text.saved);
    onClose();
  };
  const footer = readOnly !== undefined ? <Button onClick={onClose}>{text.close}</Button> : <><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></>;
  return (
    <Dialog wide title={title} onClose={onClose} onSubmit={() => { if (readOnly === undefined) void save(); }} footer={footer}>
      {readOnly !== undefined && <Notice kind="info" live={false}>{readOnly}</Notice>}
      {note !== undefined && <p className="muted">{note}</p>}
      {known === undefined && <Input label={text.access.name} help={words.nameHelp} value={name} wrong={tried || (name !== "" && taken.includes(name)) ? wrongName : undefined} autoFocus spellCheck={false} onChange={(event) => { setName(event.target.value); clear(); }} />}
      {readOnly === undefined && !trust && (
        <Choice label={words.example} value="" options={Object.entries(words.examples)} onChange={(event) => {
          const chosen = event.target.value;
          if (chosen in EXAMPLES) setTyped(JSON.stringify(EXAMPLES[chosen as keyof typeof EXAMPLES], null, 2));
        }} />
      )}
      <Area label={words.document} value={typed} readOnly={readOnly !== undefined} rows={14} wrong={(tried || (typed !== "" && read.wrong === undefined) ? wrong : undefined) ?? refused} onChange={(event) => { setTyped(event.target.value); clear(); }} />
      {refused === undefined && <Failed failure={failure} />}
    </Dialog>
  );
}
