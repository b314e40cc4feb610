/** What pages are made of. */
import { useEffect, useId, useRef, useState, type ButtonHTMLAttributes, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import type { Failure } from "../api/failure";
import { tell } from "../api/state";
import { text } from "../strings";
import { Icon } from "./icon";

export { Icon };

/** A page: its heading gets the focus when it is opened, so that a screen reader reads it. */
export function Page({ title, lead, actions, children }: { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – ${text.name}`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <div className="page">
      <header>
        <div className="grow">
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {lead !== undefined && <p>{lead}</p>}
        </div>
        {actions !== undefined && <div className="row">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: string; icon?: string };

export function Button({ kind = "", icon, children, className = "", type = "button", ...rest }: ButtonProps): ReactNode {
  return (
    <button type={type} className={`button ${kind} ${className}`} {...rest}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button with a drawing alone; `label` is its name. */
export function IconButton({ label, icon, kind = "plain", ...rest }: ButtonProps & { label: string; icon: string }): ReactNode {
  return (
    <button type="button" className={`button icon ${kind}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

interface Labelled {
  readonly label: string;
  readonly help?: ReactNode;
  /** What is wrong with what was typed, in words. */
  readonly wrong?: string | undefined;
}

function useLabels({ help, wrong }: Labelled): { id: string; aria: Record<string, string | boolean | undefined> } {
  const id = useId();
  const by = [help !== undefined ? `${id}-help` : "", wrong !== undefined ? `${id}-wrong` : ""].filter(Boolean).join(" ");
  return { id, aria: { id, "aria-invalid": wrong !== undefined || undefined, "aria-describedby": by === "" ? undefined : by } };
}

function Around({ id, label, help, wrong, children }: Labelled & { id: string; children: ReactNode }): ReactNode {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {help !== undefined && <span className="help" id={`${id}-help`}>{help}</span>}
      {wrong !== undefined && <span className="wrong" id={`${id}-wrong`} role="alert">{wrong}</span>}
    </div>
  );
}

export function Input({ label, help, wrong, className = "", ...rest }: Labelled & InputHTMLAttributes<HTMLInputElement>): ReactNode {
  const { id, aria } = useLabels({ label, help, wrong });
  return <Around {...{ id, label, help, wrong }}><input className={`input ${className}`} autoComplete="off" {...rest} {...aria} /></Around>;
}

export function Area({ label, help, wrong, ...rest }: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>): ReactNode {
  const { id, aria } = useLabels({ label, help, wrong });
  return <Around {...{ id, label, help, wrong }}><textarea className="input" spellCheck={false} {...rest} {...aria} /></Around>;
}

export function Choice({ label, help, wrong, options, ...rest }: Labelled & SelectHTMLAttributes<HTMLSelectElement> & { options: readonly (readonly [string, string])[] }): ReactNode {
  const { id, aria } = useLabels({ label, help, wrong });
  return (
    <Around {...{ id, label, help, wrong }}>
      <select className="input" {...rest} {...aria}>
        {options.map(([value, shown]) => <option key={value} value={value}>{shown}</option>)}
      </select>
    </Around>
  );
}

export function Check({ label, help, ...rest }: { label: string; help?: ReactNode } & InputHTMLAttributes<HTMLInputElement>): ReactNode {
  const id = useId();
  return (
    <div className="check">
      <input type="checkbox" id={id} aria-describedby={help === undefined ? undefined : `${id}-help`} {...rest} />
      <div>
        <label htmlFor={id}>{label}</label>
        {help !== undefined && <span className="help" id={`${id}-help`}>{help}</span>}
      </div>
    </div>
  );
}

export function Notice({ kind, children, action, live = true }: { kind: "error" | "warning" | "info" | "good"; children: ReactNode; action?: ReactNode; live?: boolean }): ReactNode {
  return (
    <div className={`notice ${kind}`} role={!live ? undefined : kind === "error" ? "alert" : "status"}>
      <Icon name={kind === "good" ? "check" : kind === "info" ? "info" : "alert"} />
      <div className="grow">{children}</div>
      {action}
    </div>
  );
}

/** A failure as a sentence, with what the server said, and a way to try again. */
export function Failed({ failure, retry }: { failure: Failure | undefined; retry?: (() => void) | undefined }): ReactNode {
  if (failure === undefined || failure.kind === "session" || failure.kind === "stopped") return null;
  return (
    <Notice kind="error" action={retry && <Button kind="small" onClick={retry}>{text.retry}</Button>}>
      {failure.sentence}
      {failure.details !== "" && <div className="more small">{failure.details}</div>}
    </Notice>
  );
}

export function Loading(): ReactNode {
  return <div className="empty" role="status"><div className="spinner" /><span className="hidden">{text.loading}</span></div>;
}

export function Empty({ icon, title, children }: { icon: string; title: string; children?: ReactNode }): ReactNode {
  return <div className="empty"><Icon name={icon} size={40} /><h2>{title}</h2>{children}</div>;
}

/** A dialog of the browser: it keeps the focus, and Escape closes it. */
export function Dialog({ title, onClose, onSubmit, children, footer, wide = false }: { title: string; onClose: () => void; onSubmit?: () => void; children: ReactNode; footer?: ReactNode; wide?: boolean }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    if (shown !== null && !shown.open) shown.showModal();
  }, []);
  const inner = (
    <>
      <header>
        <h2 id={id}>{title}</h2>
        <IconButton label={text.close} icon="close" onClick={onClose} />
      </header>
      <div className="body">{children}</div>
      {footer !== undefined && <footer>{footer}</footer>}
    </>
  );
  return (
    <dialog ref={dialog} aria-labelledby={id} className={wide ? "wide" : ""} onCancel={(event) => { event.preventDefault(); onClose(); }}>
      {onSubmit === undefined ? <div className="box">{inner}</div> : (
        <form noValidate onSubmit={(event) => { event.preventDefault(); onSubmit(); }}>{inner}</form>
      )}
    </dialog>
  );
}

/** A question before something that cannot be taken back; with `word`, which must be typed first. */
export function Confirm({ title, children, action, word, label, busy, failure, onClose, onConfirm }: { title: string; children: ReactNode; action: string; word?: string; label?: string; busy: boolean; failure?: Failure | undefined; onClose: () => void; onConfirm: () => void }): ReactNode {
  const [typed, setTyped] = useState("");
  return (
    <Dialog title={title} onClose={onClose} onSubmit={onConfirm} footer={
      <>
        <Button onClick={onClose}>{text.cancel}</Button>
        <Button type="submit" kind="danger main" disabled={busy || (word !== undefined && typed !== word)}>{action}</Button>
      </>
    }>
      {children}
      {word !== undefined && <Input label={label ?? word} value={typed} onChange={(event) => { setTyped(event.target.value); }} autoFocus />}
      <Failed failure={failure} />
    </Dialog>
  );
}

export function Copy({ value, label = text.copy }: { value: string; label?: string }): ReactNode {
  return <IconButton kind="plain small" label={label} icon="copy" onClick={() => { void copy(value); }} />;
}

/** Puts a text on the clipboard, over plain http as well, where browsers have no clipboard for pages. */
export async function copy(value: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    const area = document.createElement("textarea");
    area.value = value;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  tell(text.copied);
}

export interface Sorted<K extends string> {
  readonly by: K;
  readonly descending: boolean;
}

/** A column's heading that sorts. */
export function SortHead<K extends string>({ name, label, sorted, onSort, number = false }: { name: K; label: string; sorted: Sorted<K>; onSort: (sorted: Sorted<K>) => void; number?: boolean }): ReactNode {
  const own = sorted.by === name;
  return (
    <th scope="col" className={number ? "number" : undefined} aria-sort={own ? (sorted.descending ? "descending" : "ascending") : undefined}>
      <button type="button" onClick={() => { onSort({ by: name, descending: own && !sorted.descending }); }}>
        {label}{own && <Icon name={sorted.descending ? "down" : "up"} size={14} />}
      </button>
    </th>
  );
}

export function Search({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }): ReactNode {
  return (
    <div className="search">
      <Icon name="search" size={16} />
      <input className="input" type="search" aria-label={label} placeholder={label} value={value} onChange={(event) => { onChange(event.target.value); }} />
    </div>
  );
}

/** How full something is, from 0 to 1. */
export function Meter({ share, label }: { share: number; label: string }): ReactNode {
  const percent = Math.min(100, Math.max(0, share * 100));
  return (
    <div className={`meter ${share > 0.9 ? "warning" : ""}`} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(percent)}>
      <i style={{ width: `${String(percent)}%` }} />
    </div>
  );
}
