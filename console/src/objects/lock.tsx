/** How long an object is kept, whoever wants to delete it. */
import { GetObjectLegalHoldCommand, GetObjectRetentionCommand, PutObjectLegalHoldCommand, PutObjectRetentionCommand, type S3Client } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { failureOf } from "../api/failure";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Check, Choice, Failed, Input, Loading } from "../parts";
import { text } from "../strings";
import type { Which } from "./details";

type Mode = keyof typeof text.object.lock.modes;

interface State {
  readonly possible: boolean;
  readonly mode: Mode;
  readonly until: string;
  readonly hold: boolean;
}

async function ask(s3: S3Client, { bucket, name, version }: Which, signal: AbortSignal): Promise<State> {
  const place = { Bucket: bucket, Key: name, VersionId: version };
  const options = { abortSignal: signal };
  try {
    const retention = await s3.send(new GetObjectRetentionCommand(place), options).catch(absent);
    const hold = await s3.send(new GetObjectLegalHoldCommand(place), options).catch(absent);
    return { possible: true, mode: retention?.Retention?.Mode ?? "", until: local(retention?.Retention?.RetainUntilDate), hold: hold?.LegalHold?.Status === "ON" };
  } catch (error) {
    if (failureOf(error).code !== "InvalidRequest") throw error;
    return { possible: false, mode: "", until: "", hold: false };
  }
}

function absent(error: unknown): undefined {
  if (failureOf(error).code !== "NoSuchObjectLockConfiguration") throw error;
}

/** A time as the browser's field for it takes one: of the computer's own zone. */
function local(time: Date | undefined): string {
  if (time === undefined) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function Lock(which: Which): ReactNode {
  const { s3 } = useSession();
  const { bucket, name, version } = which;
  const { data, failure, reload } = useLoad(useCallback((signal) => ask(s3, { bucket, name, version }, signal), [s3, bucket, name, version]));
  if (data === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} retry={reload} />;
  return data.possible ? <LockForm which={which} state={data} /> : <p className="muted">{text.object.lock.none}</p>;
}

function LockForm({ which: { bucket, name, version }, state }: { which: Which; state: State }): ReactNode {
  const { s3 } = useSession();
  const [mode, setMode] = useState<Mode>(state.mode);
  const [until, setUntil] = useState(state.until);
  const [hold, setHold] = useState(state.hold);
  const [wrong, setWrong] = useState<string>();
  const { busy, failure, run } = useAction();
  const place = { Bucket: bucket, Key: name, VersionId: version };
  const save = async (): Promise<void> => {
    const time = new Date(until);
    const bad = mode !== "" && !(time.getTime() > Date.now());
    setWrong(bad ? text.object.lock.untilWrong : undefined);
    if (bad) return;
    await run(async () => {
      if (mode !== state.mode || until !== state.until)
        await s3.send(new PutObjectRetentionCommand({ ...place, Retention: mode === "" ? {} : { Mode: mode, RetainUntilDate: time }, ...(state.mode === "GOVERNANCE" && { BypassGovernanceRetention: true }) }));
      if (hold !== state.hold) await s3.send(new PutObjectLegalHoldCommand({ ...place, LegalHold: { Status: hold ? "ON" : "OFF" } }));
      tell(text.saved);
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <div className="two">
        <Choice label={text.object.lock.mode} help={mode === "COMPLIANCE" ? text.object.lock.complianceHelp : undefined} value={mode} options={Object.entries(text.object.lock.modes)} onChange={(event) => { setMode(event.target.value as Mode); }} />
        {mode !== "" && <Input type="datetime-local" label={text.object.lock.until} value={until} wrong={wrong} onChange={(event) => { setUntil(event.target.value); }} />}
      </div>
      <Check label={text.object.lock.hold} help={text.object.lock.holdHelp} checked={hold} onChange={(event) => { setHold(event.target.checked); }} />
      <Failed failure={failure} />
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}
