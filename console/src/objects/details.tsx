/** One object: what it is, a look at it, and what can be done with it. */
import { DeleteObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { bytes, number, when } from "../format";
import { Button, Confirm, Copy, Dialog, Failed, Loading } from "../parts";
import { text } from "../strings";
import { Copying } from "./copying";
import { download } from "./links";
import { Lock } from "./lock";
import { Metadata } from "./metadata";
import { Preview } from "./preview";
import { Share } from "./share";
import { ObjectTags } from "./tags";
import { Versions } from "./versions";

export interface Which {
  readonly bucket: string;
  readonly name: string;
  readonly version: string | undefined;
}

type Tab = keyof typeof text.object.tabs;

export function Details({ bucket, name, version, onClose, onChanged }: Which & { onClose: () => void; onChanged: () => void }): ReactNode {
  const session = useSession();
  const { s3 } = session;
  const [tab, setTab] = useState<Tab>("preview");
  const [asked, setAsked] = useState<"delete" | "copy">();
  const { data: head, failure, reload } = useLoad(useCallback((signal) => s3.send(new HeadObjectCommand({ Bucket: bucket, Key: name, VersionId: version, ChecksumMode: "ENABLED" }), { abortSignal: signal }), [s3, bucket, name, version]));
  const saving = useAction();
  const deleting = useAction();
  const which = { bucket, name, version };
  const changed = (): void => {
    reload();
    onChanged();
  };
  const leaf = name.split("/").filter(Boolean).pop() ?? name;
  return (
    <Dialog wide title={leaf} onClose={onClose} footer={
      <>
        <Button kind="danger" icon="trash" onClick={() => { setAsked("delete"); }}>{text.object.remove}</Button>
        <Button icon="copy" disabled={head === undefined} onClick={() => { setAsked("copy"); }}>{text.object.move}</Button>
        <Button kind="main" icon="download" disabled={head === undefined || saving.busy} onClick={() => { void saving.run(() => download(session, bucket, name, version)); }}>{text.object.download}</Button>
      </>
    }>
      <Failed failure={failure ?? saving.failure} retry={failure && reload} />
      {head === undefined && failure === undefined && <Loading />}
      {head !== undefined && (
        <>
          <Facts which={which} head={head} />
          <div className="tabs" role="tablist" aria-label={leaf}>
            {(Object.keys(text.object.tabs) as Tab[]).map((one) => (
              <button key={one} type="button" role="tab" id={`tab-${one}`} aria-selected={tab === one} aria-controls="tab-panel" tabIndex={tab === one ? 0 : -1} onClick={() => { setTab(one); }} onKeyDown={(event) => { step(event.key, setTab); }}>{text.object.tabs[one]}</button>
            ))}
          </div>
          <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`}>
            {tab === "preview" && <Preview {...which} head={head} />}
            {tab === "metadata" && <Metadata {...which} head={head} onChanged={changed} />}
            {tab === "tags" && <ObjectTags {...which} />}
            {tab === "versions" && <Versions {...which} onChanged={changed} />}
            {tab === "share" && <Share {...which} />}
            {tab === "lock" && <Lock {...which} />}
          </div>
        </>
      )}
      {asked === "copy" && head !== undefined && <Copying {...which} onClose={() => { setAsked(undefined); }} onDone={(moved) => { onChanged(); setAsked(undefined); if (moved) onClose(); }} />}
      {asked === "delete" && (
        <Confirm title={text.object.deleteTitle(leaf)} action={text.object.remove} busy={deleting.busy} failure={deleting.failure} onClose={() => { setAsked(undefined); }} onConfirm={() => {
          void deleting.run(async () => {
            await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: name, VersionId: version }));
            tell(text.object.deleted);
            onChanged();
            onClose();
          });
        }}>
          <p className="mono">{name}</p>
          {version !== undefined && <p>{text.object.versions.confirm}</p>}
        </Confirm>
      )}
    </Dialog>
  );

  function step(key: string, set: (tab: Tab) => void): void {
    const names = Object.keys(text.object.tabs) as Tab[];
    const by = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const next = names[(names.indexOf(tab) + by + names.length) % names.length];
    if (by === 0 || next === undefined) return;
    set(next);
    document.getElementById(`tab-${next}`)?.focus();
  }
}

function Facts({ which, head }: { which: Which; head: HeadObjectCommandOutput }): ReactNode {
  const size = head.ContentLength ?? 0;
  const uri = `s3://${which.bucket}/${which.name}`;
  const checksum = head.ChecksumSHA256 ?? head.ChecksumCRC64NVME ?? head.ChecksumCRC32C ?? head.ChecksumCRC32 ?? head.ChecksumSHA1;
  const facts: [string, string | undefined][] = [
    [text.object.facts.size, size < 1024 ? bytes(size) : `${bytes(size)} (${number(size)} B)`],
    [text.object.facts.type, head.ContentType],
    [text.object.facts.changed, when(head.LastModified)],
    [text.object.facts.etag, head.ETag?.replace(/"/g, "")],
    [text.object.facts.version, head.VersionId],
    [text.object.facts.encryption, head.ServerSideEncryption],
    [text.object.facts.checksum, checksum],
  ];
  return (
    <dl className="facts">
      <dt>{text.object.facts.uri}</dt><dd><span className="mono">{uri}</span> <Copy value={uri} /></dd>
      {facts.map(([label, value]) => value !== undefined && <div className="both" key={label}><dt>{label}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}
