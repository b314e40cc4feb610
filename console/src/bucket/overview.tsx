/** What a bucket is and holds, and the settings of all of it: versioning, quota, tags; and its end. */
import { DeleteBucketCommand, DeleteBucketTaggingCommand, GetBucketLocationCommand, GetBucketTaggingCommand, GetBucketVersioningCommand, GetObjectLockConfigurationCommand, PutBucketTaggingCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { piece } from "../api/admin";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { bytes, when } from "../format";
import { Button, Check, Confirm, Failed, Input, Meter, Notice } from "../parts";
import { TagForm } from "../parts/tag-form";
import { go } from "../router";
import { text } from "../strings";
import { isSize } from "./name";
import { orNone, Ready, Section } from "./section";

const words = text.bucket.overview;

interface Allowance {
  readonly used: { readonly bytes: number; readonly objects: number } | null;
  readonly quota: { readonly bytes: number | null; readonly objects: number | null };
}

interface About {
  readonly created: string;
  readonly owner: string;
  readonly region: string;
}

export function Overview({ bucket }: { bucket: string }): ReactNode {
  const session = useSession();
  const { s3, api, admin } = session;
  const about = useLoad(useCallback(async (signal): Promise<Partial<About>> => {
    if (admin) return api.get<About>(`/buckets/${piece(bucket)}`, {}, signal);
    const found = await s3.send(new GetBucketLocationCommand({ Bucket: bucket }), { abortSignal: signal });
    return { region: found.LocationConstraint ?? "us-east-1" };
  }, [admin, api, s3, bucket]));
  const allowance = useLoad(useCallback(async (signal) => (admin ? api.get<Allowance>(`/buckets/${piece(bucket)}/quota`, {}, signal) : null), [admin, api, bucket]));
  const versioning = useLoad(useCallback(async (signal) => {
    const found = await s3.send(new GetBucketVersioningCommand({ Bucket: bucket }), { abortSignal: signal });
    const lock = await orNone(s3.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }), { abortSignal: signal }), "ObjectLockConfigurationNotFoundError", "AccessDenied");
    const status: keyof typeof words.states = found.Status ?? "";
    return { status, locked: lock !== undefined };
  }, [s3, bucket]));
  const tags = useLoad(useCallback(async (signal) => (await orNone(s3.send(new GetBucketTaggingCommand({ Bucket: bucket }), { abortSignal: signal }), "NoSuchTagSet"))?.TagSet ?? [], [s3, bucket]));
  return (
    <div className="panel">
      <Section title={words.about}>
        <Ready {...about}>
          {(found) => (
            <dl className="facts">
              {found.created !== undefined && <><dt>{text.buckets.created}</dt><dd>{when(found.created)}</dd></>}
              {found.owner !== undefined && <><dt>{words.owner}</dt><dd className="mono">{found.owner}</dd></>}
              <dt>{words.region}</dt><dd>{found.region}</dd>
            </dl>
          )}
        </Ready>
      </Section>
      {admin && <Section title={words.quota} help={words.quotaHelp}><Ready {...allowance}>{(found) => found !== null && <Quota bucket={bucket} found={found} />}</Ready></Section>}
      <Section title={words.versioning} help={words.versioningHelp}>
        <Ready {...versioning}>{(found) => <Versioning bucket={bucket} status={found.status} locked={found.locked} reload={versioning.reload} />}</Ready>
      </Section>
      <Section title={words.tags} help={words.tagsHelp}>
        <Ready {...tags}>
          {(found) => (
            <TagForm tags={found.map((one) => [one.Key ?? "", one.Value ?? ""])} onSave={async (pairs) => {
              if (pairs.length === 0) await s3.send(new DeleteBucketTaggingCommand({ Bucket: bucket }));
              else await s3.send(new PutBucketTaggingCommand({ Bucket: bucket, Tagging: { TagSet: pairs.map(([Key, Value]) => ({ Key, Value })) } }));
            }} />
          )}
        </Ready>
      </Section>
      <Section title={words.danger} help={words.dangerHelp}><Ending bucket={bucket} onChanged={allowance.reload} /></Section>
    </div>
  );
}

function Quota({ bucket, found }: { bucket: string; found: Allowance }): ReactNode {
  const { api } = useSession();
  const [most, setMost] = useState(found.quota.bytes === null ? "" : String(found.quota.bytes));
  const [objects, setObjects] = useState(found.quota.objects === null ? "" : String(found.quota.objects));
  const [quota, setQuota] = useState(found.quota);
  const { busy, failure, run } = useAction();
  const wrongBytes = most !== "" && !isSize(most) ? text.bucket.create.quotaWrong : undefined;
  const wrongObjects = objects !== "" && !/^\d+$/.test(objects) ? text.bucket.create.objectsWrong : undefined;
  const save = (): void => {
    if (wrongBytes !== undefined || wrongObjects !== undefined) return;
    void run(async () => {
      const body = { bytes: most === "" ? null : most.trim(), objects: objects === "" ? null : Number(objects) };
      const told = await api.ask<Allowance>("PUT", `/buckets/${piece(bucket)}/quota`, { body });
      setQuota(told.quota);
      tell(text.saved);
    });
  };
  const used = found.used ?? { bytes: 0, objects: 0 };
  const line = `${bytes(used.bytes)}, ${text.buckets.count(used.objects)}`;
  const said = failure?.field === "body.bytes" ? failure.message : undefined;
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); save(); }}>
      <div className="stack tight">
        <div>{words.usage}: <strong>{line}</strong>{quota.bytes !== null && <span className="muted"> {text.buckets.of("", bytes(quota.bytes)).trim()}</span>}</div>
        {quota.bytes !== null && <Meter share={quota.bytes === 0 ? 1 : used.bytes / quota.bytes} label={text.buckets.of(bytes(used.bytes), bytes(quota.bytes))} />}
      </div>
      <div className="two">
        <Input label={words.bytes} help={words.bytesHelp} value={most} wrong={wrongBytes ?? said} onChange={(event) => { setMost(event.target.value); }} />
        <Input label={words.objects} help={words.objectsHelp} inputMode="numeric" value={objects} wrong={wrongObjects} onChange={(event) => { setObjects(event.target.value); }} />
      </div>
      {said === undefined && <Failed failure={failure} />}
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}

function Versioning({ bucket, status, locked, reload }: { bucket: string; status: keyof typeof words.states; locked: boolean; reload: () => void }): ReactNode {
  const { s3 } = useSession();
  const { busy, failure, run } = useAction();
  const set = (on: boolean): void => {
    void run(async () => {
      await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: on ? "Enabled" : "Suspended" } }));
      tell(text.saved);
      reload();
    });
  };
  return (
    <>
      <Check label={words.versioning} help={locked ? words.versioningLocked : words.states[status]} checked={status === "Enabled"} disabled={busy || locked} onChange={(event) => { set(event.target.checked); }} />
      <Failed failure={failure} />
    </>
  );
}

interface Emptied {
  readonly removed: number;
  readonly kept: number;
}

type Asked = "empty" | "remove" | "force";

function Ending({ bucket, onChanged }: { bucket: string; onChanged: () => void }): ReactNode {
  const { s3, api, admin } = useSession();
  const [asked, setAsked] = useState<Asked>();
  const [emptied, setEmptied] = useState<Emptied>();
  const { busy, failure, run, clear } = useAction();
  const gone = (): void => {
    tell(words.removed);
    go(["buckets"]);
  };
  const start = (what: Asked): void => {
    void run(async () => {
      if (what === "remove") {
        await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
        gone();
        return;
      }
      const verb = what === "empty" ? "empty" : "delete";
      const told = await api.ask<Emptied>("POST", `/buckets/${piece(bucket)}/${verb}`, { body: { confirm: bucket } });
      if (what === "force" && told.kept === 0) { gone(); return; }
      setEmptied(told);
      setAsked(undefined);
      onChanged();
    });
  };
  const warns = { empty: words.emptyWarn, remove: words.removeWarn, force: words.forceWarn };
  const labels = { empty: words.empty, remove: words.remove, force: words.force };
  return (
    <>
      {emptied !== undefined && <Notice kind={emptied.kept > 0 ? "warning" : "good"}>{words.emptied(emptied.removed)} {emptied.kept > 0 && words.kept(emptied.kept)}</Notice>}
      <div className="row">
        {admin && <Button kind="danger" onClick={() => { clear(); setAsked("empty"); }}>{words.empty}</Button>}
        <Button kind="danger" onClick={() => { clear(); setAsked("remove"); }}>{words.remove}</Button>
        {admin && <Button kind="danger" onClick={() => { clear(); setAsked("force"); }}>{words.force}</Button>}
      </div>
      {asked !== undefined && (
        <Confirm title={asked === "empty" ? words.emptyTitle(bucket) : words.removeTitle(bucket)} action={labels[asked]} word={bucket} label={words.type(bucket)} busy={busy} failure={failure} onClose={() => { setAsked(undefined); }} onConfirm={() => { start(asked); }}>
          <p>{warns[asked]}</p>
        </Confirm>
      )}
    </>
  );
}
