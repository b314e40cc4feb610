import { useState, type ReactNode } from "react";
import { failureOf, type Failure } from "../api/failure";
import { type About } from "../api/place";
import { keep, signIn, type Credentials, type Session } from "../api/session";
import icon from "../icon.svg";
import { Button, Check, Input, Notice } from "../parts";
import { text } from "../strings";

interface Wrong {
  readonly field: "accessKey" | "secretKey" | "token" | "";
  readonly words: string;
}

function wrongOf(failure: Failure): Wrong {
  if (failure.code === "InvalidAccessKeyId") return { field: "accessKey", words: text.signIn.unknownKey };
  if (failure.code === "SignatureDoesNotMatch") return { field: "secretKey", words: text.signIn.wrongSecret };
  if (failure.code === "ExpiredToken" || failure.code === "InvalidToken") return { field: "token", words: text.signIn.badToken };
  if (failure.code === "RequestTimeTooSkewed") return { field: "", words: `${text.signIn.clock} ${failure.message}` };
  return { field: "", words: `${failure.sentence} ${failure.details}` };
}

/** The form that makes a session. `who` is known when a session has ended. */
export function SignInForm({ about, who = "", onSession }: { about: About; who?: string; onSession: (session: Session) => void }): ReactNode {
  const [accessKey, setAccessKey] = useState(who);
  const [secretKey, setSecretKey] = useState("");
  const [token, setToken] = useState("");
  const [hasToken, setHasToken] = useState(false);
  const [keeps, setKeeps] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong>();

  async function submit(): Promise<void> {
    if (accessKey.trim() === "") { setWrong({ field: "accessKey", words: text.signIn.missing(text.signIn.accessKey) }); return; }
    if (secretKey === "") { setWrong({ field: "secretKey", words: text.signIn.missing(text.signIn.secretKey) }); return; }
    const credentials: Credentials = {
      accessKeyId: accessKey.trim(),
      secretAccessKey: secretKey,
      ...(hasToken && token.trim() !== "" ? { sessionToken: token.trim() } : {}),
    };
    setBusy(true);
    setWrong(undefined);
    try {
      const session = await signIn(credentials, about);
      keep(keeps ? credentials : null);
      onSession(session);
    } catch (error) {
      const found = wrongOf(failureOf(error));
      setWrong(found);
      if (found.field === "token") setHasToken(true);
    } finally {
      setBusy(false);
    }
  }

  const at = (field: Wrong["field"]): string | undefined => (wrong?.field === field ? wrong.words : undefined);
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      {!about.auth && <Notice kind="warning">{text.signIn.open}</Notice>}
      <Input label={text.signIn.accessKey} value={accessKey} autoComplete="username" autoFocus={who === ""} spellCheck={false} onChange={(event) => { setAccessKey(event.target.value); }} wrong={at("accessKey")} />
      <Input label={text.signIn.secretKey} type="password" value={secretKey} autoComplete="current-password" autoFocus={who !== ""} onChange={(event) => { setSecretKey(event.target.value); }} wrong={at("secretKey")} />
      <Check label={text.signIn.useToken} checked={hasToken} onChange={(event) => { setHasToken(event.target.checked); }} />
      {hasToken && <Input label={text.signIn.token} help={text.signIn.tokenHelp} value={token} className="mono" onChange={(event) => { setToken(event.target.value); }} wrong={at("token")} />}
      <Check label={text.signIn.keep} help={text.signIn.keepHelp} checked={keeps} onChange={(event) => { setKeeps(event.target.checked); }} />
      {wrong?.field === "" && <Notice kind="error">{wrong.words}</Notice>}
      <Button type="submit" kind="main" disabled={busy}>{busy ? text.signIn.checking : text.signIn.submit}</Button>
      <p className="small muted">{text.signIn.promise}</p>
    </form>
  );
}

export function SignIn({ about, onSession }: { about: About; onSession: (session: Session) => void }): ReactNode {
  return (
    <main className="door">
      <div className="panel padded stack narrow">
        <h1 className="brand"><img src={icon} alt="" />{text.name}</h1>
        <SignInForm about={about} onSession={onSession} />
        <p className="small muted centred">{about.version}</p>
      </div>
    </main>
  );
}
