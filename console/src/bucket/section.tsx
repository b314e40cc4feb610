/** One group of settings: what it is on the left, how it is set on the right. */
import { useState, type ReactNode } from "react";
import { failureOf, type Failure } from "../api/failure";
import { useAction } from "../api/load";
import { tell } from "../api/state";
import { Area, Button, Confirm, Failed, Loading } from "../parts";
import { text } from "../strings";

export function Section({ title, help, children }: { title: string; help?: ReactNode; children: ReactNode }): ReactNode {
  return (
    <section className="section" aria-label={title}>
      <div><h2>{title}</h2>{help !== undefined && <p>{help}</p>}</div>
      <div className="stack">{children}</div>
    </section>
  );
}

/** What has to be loaded before a form can be shown. */
export function Ready<T>({ data, failure, reload, children }: { data: T | undefined; failure: Failure | undefined; reload: () => void; children: (data: T) => ReactNode }): ReactNode {
  if (data === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} retry={reload} />;
  return children(data);
}

/** The answer to a question for a setting, or undefined where there is none: S3 refuses with one of these codes. */
export async function orNone<T>(asked: Promise<T>, ...codes: string[]): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (codes.includes(failureOf(error).code)) return undefined;
    throw error;
  }
}

interface DocumentProps {
  readonly label: string;
  /** The document as it is kept; empty when there is none. */
  readonly value: string;
  /** What is wrong with a document, in words. */
  readonly check: (document: unknown) => string | undefined;
  readonly onSave: (document: unknown, json: string) => Promise<void>;
  readonly onRemove: () => Promise<void>;
  readonly examples?: ReactNode | ((insert: (json: string) => void) => ReactNode);
}

/** A setting that is a document of JSON. What was typed stays until it is saved. */
export function DocumentForm({ label, value, check, onSave, onRemove, examples }: DocumentProps): ReactNode {
  const [typed, setTyped] = useState(value);
  const [tried, setTried] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [stored, setStored] = useState(value);
  const saving = useAction();
  const removal = useAction();
  const read = readJson(typed);
  const wrong = typed.trim() === "" ? undefined : read.wrong ?? check(read.value);
  const refused = saving.failure?.kind === "invalid" ? saving.failure.message : undefined;

  const save = async (): Promise<void> => {
    setTried(true);
    if (wrong !== undefined || typed.trim() === "") return;
    await saving.run(async () => {
      await onSave(read.value, typed);
      setStored(typed);
      setTried(false);
      tell(text.saved);
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); void save(); }}>
      {typeof examples === "function" ? examples((json) => { setTyped(json); saving.clear(); }) : examples}
      <Area label={`${label} (${text.bucket.document.json})`} value={typed} wrong={(tried || typed !== stored ? wrong : undefined) ?? refused} placeholder={text.bucket.document.none} rows={12} onChange={(event) => { setTyped(event.target.value); saving.clear(); }} />
      {refused === undefined && <Failed failure={saving.failure} />}
      <div className="row">
        <Button type="submit" kind="main" disabled={saving.busy || typed === stored || typed.trim() === ""}>{text.bucket.document.save}</Button>
        <Button disabled={read.wrong !== undefined} onClick={() => { setTyped(JSON.stringify(read.value, null, 2)); }}>{text.bucket.document.format}</Button>
        {stored !== "" && <Button kind="danger" onClick={() => { setRemoving(true); }}>{text.bucket.document.remove}</Button>}
      </div>
      {removing && (
        <Confirm title={text.bucket.document.removeTitle(label)} action={text.bucket.document.remove} busy={removal.busy} failure={removal.failure} onClose={() => { setRemoving(false); }} onConfirm={() => {
          void removal.run(async () => {
            await onRemove();
            setTyped("");
            setStored("");
            setRemoving(false);
            tell(text.bucket.document.removed);
          });
        }}>{null}</Confirm>
      )}
    </form>
  );
}

export function readJson(typed: string): { readonly value: unknown; readonly wrong: string | undefined } {
  try {
    return { value: JSON.parse(typed) as unknown, wrong: undefined };
  } catch (problem) {
    return { value: undefined, wrong: text.bucket.document.notJson((problem as Error).message) };
  }
}
