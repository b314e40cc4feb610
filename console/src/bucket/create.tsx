/** Makes a bucket with all that it is to have, in one step. */
import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { useState, type ReactNode } from "react";
import { useAction } from "../api/load";
import { tell, useSession } from "../api/state";
import { Button, Check, Dialog, Failed, Input } from "../parts";
import { text } from "../strings";
import { isSize, wrongName } from "./name";

const words = text.bucket.create;

export function CreateBucket({ onClose, onMade }: { onClose: () => void; onMade: (name: string) => void }): ReactNode {
  const session = useSession();
  const [name, setName] = useState("");
  const [left, setLeft] = useState(false);
  const [versioning, setVersioning] = useState(false);
  const [lock, setLock] = useState(false);
  const [limited, setLimited] = useState(false);
  const [bytes, setBytes] = useState("");
  const [objects, setObjects] = useState("");
  const { busy, failure, run } = useAction();
  const [refused, setRefused] = useState<{ readonly name: string; readonly words: string }>();

  const wrongBytes = limited && bytes !== "" && !isSize(bytes) ? words.quotaWrong : undefined;
  const wrongObjects = limited && objects !== "" && !/^\d+$/.test(objects) ? words.objectsWrong : undefined;
  const typing = name === "" || (!left && name.length < 3);
  const wrong = (typing ? undefined : wrongName(name)) ?? (refused?.name === name ? refused.words : undefined);

  const create = async (): Promise<void> => {
    setLeft(true);
    if (wrongName(name) !== undefined || wrongBytes !== undefined || wrongObjects !== undefined) return;
    const made = await run(async () => {
      try {
        if (session.admin) {
          const quota = limited ? { ...(bytes !== "" && { bytes: bytes.trim() }), ...(objects !== "" && { objects: Number(objects) }) } : {};
          await session.api.ask("POST", "/buckets", {
            body: { name, ...((versioning || lock) && { versioning: "Enabled" }), ...(lock && { object_lock: true }), ...(Object.keys(quota).length > 0 && { quota }) },
          });
          return;
        }
        await session.s3.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: lock }));
        if (versioning && !lock) await session.s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: "Enabled" } }));
      } catch (error) {
        const { code, message } = error as { code?: string; name?: string; message: string };
        const kind = code ?? (error as { name?: string }).name;
        if (kind === "BucketAlreadyOwnedByYou" || kind === "BucketAlreadyExists") setRefused({ name, words: words.taken });
        else if (kind === "InvalidBucketName") setRefused({ name, words: message });
        throw error;
      }
    });
    if (!made) return;
    tell(words.made(name));
    onMade(name);
  };

  return (
    <Dialog title={words.title} onClose={onClose} onSubmit={() => { void create(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{words.submit}</Button></>}>
      <Input label={words.name} help={words.nameHelp} value={name} wrong={wrong ?? (left && name === "" ? words.wrong.short : undefined)} spellCheck={false} autoCapitalize="none" autoFocus onChange={(event) => { setName(event.target.value); }} onBlur={() => { setLeft(name !== ""); }} />
      <Check label={words.versioning} help={words.versioningHelp} checked={versioning || lock} disabled={lock} onChange={(event) => { setVersioning(event.target.checked); }} />
      <Check label={words.lock} help={words.lockHelp} checked={lock} onChange={(event) => { setLock(event.target.checked); }} />
      {session.admin && <Check label={words.quota} checked={limited} onChange={(event) => { setLimited(event.target.checked); }} />}
      {limited && (
        <div className="two">
          <Input label={text.bucket.overview.bytes} help={text.bucket.overview.bytesHelp} value={bytes} wrong={wrongBytes} onChange={(event) => { setBytes(event.target.value); }} />
          <Input label={text.bucket.overview.objects} help={text.bucket.overview.objectsHelp} inputMode="numeric" value={objects} wrong={wrongObjects} onChange={(event) => { setObjects(event.target.value); }} />
        </div>
      )}
      {refused?.name !== name && <Failed failure={failure} />}
    </Dialog>
  );
}
