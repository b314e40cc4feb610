/** Multipart uploads that were begun and never put together: gone on with, or dropped. */
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { useCallback, useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { when } from "../format";
import { Button, Dialog, Failed, Notice } from "../parts";
import { text } from "../strings";
import { all, forget, type Begun } from "./begun";
import { uploads } from "./uploads";

export function Unfinished({ bucket }: { bucket: string }): ReactNode {
  const { s3 } = useSession();
  const [open, setOpen] = useState(false);
  const { data, reload } = useLoad(useCallback((signal) => s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }), { abortSignal: signal }), [s3, bucket]), 30);
  const active = useSyncExternalStore(uploads.subscribe, uploads.get);
  const moving = new Set(active.filter((one) => one.bucket === bucket).map((one) => one.key));
  const found = (data?.Uploads ?? []).filter((one) => !moving.has(one.Key ?? ""));
  const { busy, failure, run } = useAction();
  if (found.length === 0) return null;
  const known = new Map(all().map((one) => [one.uploadId, one]));
  return (
    <>
      <Notice kind="info" live={false} action={<Button kind="small" onClick={() => { setOpen(true); }}>{text.uploads.look}</Button>}>{text.uploads.unfinished(found.length)}</Notice>
      {open && (
        <Dialog wide title={text.uploads.unfinishedTitle} onClose={() => { setOpen(false); }}>
          <p>{text.uploads.unfinishedHelp}</p>
          <Failed failure={failure} />
          <div className="scroll">
            <table>
              <thead><tr><th scope="col">{text.objects.name}</th><th scope="col">{text.uploads.begun}</th><th scope="col"><span className="hidden">{text.buckets.actions}</span></th></tr></thead>
              <tbody>
                {found.map((one) => {
                  const begun = known.get(one.UploadId ?? "");
                  return (
                    <tr key={one.UploadId}>
                      <td className="mono">{one.Key}</td>
                      <td>{when(one.Initiated)}</td>
                      <td>
                        <div className="row end">
                          {begun !== undefined && <Again begun={begun} onBegin={() => { setOpen(false); }} />}
                          <Button kind="danger small" disabled={busy} onClick={() => {
                            void run(async () => {
                              await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: one.Key, UploadId: one.UploadId }));
                              if (begun !== undefined) forget(begun);
                              reload();
                            });
                          }}>{text.uploads.abort}</Button>
                        </div>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Again({ begun, onBegin }: { begun: Begun; onBegin: () => void }): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    if (file.size !== begun.size || file.lastModified !== begun.modified) {
      tell(text.uploads.another(begun.name), "error");
      return;
    }
    uploads.add(begun.bucket, [{ key: begun.key, file }]);
    onBegin();
  };
  return (
    <>
      <input ref={input} type="file" hidden aria-label={text.uploads.resumeWith} onChange={(event) => { take(event.target.files?.[0]); event.target.value = ""; }} />
      <Button kind="small" icon="play" onClick={() => { input.current?.click(); }}>{text.uploads.resumeWith}</Button>
    </>
  );
}
