/** Copies an object to another key or bucket, or moves it there. */
import { CopyObjectCommand, DeleteObjectCommand } from "@aws-sdk/client-s3";
import { useState, type ReactNode } from "react";
import { useAction } from "../api/load";
import { pathOf } from "../api/put";
import { tell, useSession } from "../api/state";
import { Button, Check, Dialog, Failed, Input } from "../parts";
import { text } from "../strings";
import type { Which } from "./details";

export function Copying({ bucket, name, version, onClose, onDone }: Which & { onClose: () => void; onDone: (moved: boolean) => void }): ReactNode {
  const { s3 } = useSession();
  const [toBucket, setToBucket] = useState(bucket);
  const [toKey, setToKey] = useState(name);
  const [keeps, setKeeps] = useState(true);
  const [wrong, setWrong] = useState<string>();
  const { busy, failure, run } = useAction();
  const start = async (): Promise<void> => {
    const problem = toKey === "" ? text.object.copying.wrongKey : toKey === name && toBucket === bucket ? text.object.copying.same : undefined;
    setWrong(problem);
    if (problem !== undefined) return;
    await run(async () => {
      await s3.send(new CopyObjectCommand({ Bucket: toBucket, Key: toKey, CopySource: pathOf(bucket, name).slice(1) + (version === undefined ? "" : `?versionId=${encodeURIComponent(version)}`) }));
      if (!keeps) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: name, VersionId: version }));
      tell(keeps ? text.object.copying.copied : text.object.copying.moved);
      onDone(!keeps);
    });
  };
  return (
    <Dialog title={text.object.copying.title} onClose={onClose} onSubmit={() => { void start(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{keeps ? text.object.copying.start : text.object.copying.startMove}</Button></>}>
      <Input label={text.object.copying.bucket} value={toBucket} onChange={(event) => { setToBucket(event.target.value.trim()); }} />
      <Input label={text.object.copying.key} value={toKey} wrong={wrong} onChange={(event) => { setToKey(event.target.value); }} autoFocus />
      <Check label={text.object.copying.keep} checked={keeps} onChange={(event) => { setKeeps(event.target.checked); }} />
      <Failed failure={failure} />
    </Dialog>
  );
}
