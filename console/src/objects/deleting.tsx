/** Deletes what was selected, folders with all that is in them, a thousand at a time. */
import { DeleteObjectsCommand, GetBucketVersioningCommand } from "@aws-sdk/client-s3";
import { useCallback, useRef, useState, type ReactNode } from "react";
import { failureOf, type Failure } from "../api/failure";
import { useLoad } from "../api/load";
import { reportFailure, useSession } from "../api/state";
import { Button, Dialog, Failed, Notice } from "../parts";
import { text } from "../strings";
import { everything, type Entry } from "./listing";

interface Course {
  readonly state: "asked" | "running" | "ended";
  readonly done: number;
  readonly refused: readonly string[];
  readonly refusedCount: number;
}

export function Deleting({ bucket, entries, onClose }: { bucket: string; entries: readonly Entry[]; onClose: (changed: boolean) => void }): ReactNode {
  const { s3 } = useSession();
  const [course, setCourse] = useState<Course>({ state: "asked", done: 0, refused: [], refusedCount: 0 });
  const [failure, setFailure] = useState<Failure>();
  const stop = useRef(new AbortController());
  const { data: versioning } = useLoad(useCallback((signal) => s3.send(new GetBucketVersioningCommand({ Bucket: bucket }), { abortSignal: signal }), [s3, bucket]));
  const versions = entries.some((one) => one.version !== undefined);
  const keeps = versioning?.Status === "Enabled";

  const start = async (): Promise<void> => {
    stop.current = new AbortController();
    const signal = stop.current.signal;
    setFailure(undefined);
    setCourse((old) => ({ ...old, state: "running", refused: [], refusedCount: 0 }));
    const remove = async (some: readonly { key: string; version?: string }[]): Promise<void> => {
      if (some.length === 0) return;
      const objects = some.map(({ key, version }) => ({ Key: key, ...(version === undefined ? {} : { VersionId: version }) }));
      const answer = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }), { abortSignal: signal });
      const errors = answer.Errors ?? [];
      setCourse((old) => ({
        ...old,
        done: old.done + some.length - errors.length,
        refused: [...old.refused, ...errors.map((one) => `${one.Key ?? ""}: ${one.Message ?? one.Code ?? ""}`)].slice(0, 20),
        refusedCount: old.refusedCount + errors.length,
      }));
    };
    try {
      const single = entries.filter((one) => one.kind !== "folder").map((one) => ({ key: one.key, ...(one.version === undefined ? {} : { version: one.version }) }));
      for (let first = 0; first < single.length; first += 1000) await remove(single.slice(first, first + 1000));
      for (const folder of entries.filter((one) => one.kind === "folder"))
        for await (const page of everything(s3, bucket, folder.key, versions, signal)) await remove(page);
    } catch (error) {
      const found = failureOf(error);
      reportFailure(found);
      setFailure(found);
    }
    setCourse((old) => ({ ...old, state: "ended" }));
  };

  const { state, done, refused, refusedCount } = course;
  const close = (): void => {
    stop.current.abort();
    onClose(state !== "asked");
  };
  return (
    <Dialog title={text.objects.deleting.title(entries.length)} onClose={close} footer={
      state === "running" ? <Button onClick={() => { stop.current.abort(); }}>{text.objects.deleting.stop}</Button> : state === "ended" ? (
        <>
          {failure !== undefined && failure.kind !== "stopped" && <Button onClick={() => { void start(); }}>{text.retry}</Button>}
          <Button kind="main" onClick={close}>{text.close}</Button>
        </>
      ) : (
        <><Button onClick={close}>{text.cancel}</Button><Button kind="danger main" onClick={() => { void start(); }}>{text.objects.deleting.start}</Button></>
      )
    }>
      {state === "asked" && (
        <>
          {entries.some((one) => one.kind === "folder") && <p>{text.objects.deleting.warnFolders}</p>}
          <p>{versions ? text.objects.deleting.warnVersions : keeps ? text.objects.deleting.warnMarkers : text.objects.deleting.warnForGood}</p>
        </>
      )}
      {state !== "asked" && <p role="status">{state === "running" ? text.objects.deleting.progress(done) : text.objects.deleting.done(done)}</p>}
      {refusedCount > 0 && <Notice kind="error">{text.objects.deleting.refused(refusedCount)}<ul className="plain small">{refused.map((one) => <li key={one}>{one}</li>)}</ul></Notice>}
      <Failed failure={failure} />
    </Dialog>
  );
}
