/** The versions of one key. */
import { CopyObjectCommand, DeleteObjectCommand, ListObjectVersionsCommand, type ListObjectVersionsCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { pathOf } from "../api/put";
import { tell, useSession } from "../api/state";
import { bytes, when } from "../format";
import { Button, Confirm, Failed, IconButton, Loading } from "../parts";
import { text } from "../strings";
import type { Which } from "./details";
import { download } from "./links";

interface Version {
  readonly id: string;
  readonly size: number | undefined;
  readonly modified: Date | undefined;
  readonly latest: boolean;
  readonly marker: boolean;
}

async function versionsOf(s3: S3Client, bucket: string, key: string, signal: AbortSignal): Promise<Version[]> {
  const found: Version[] = [];
  let at: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
  while (at !== undefined) {
    const answer: ListObjectVersionsCommandOutput = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...at }), { abortSignal: signal });
    const told = (one: { Key?: string | undefined; VersionId?: string | undefined; LastModified?: Date | undefined; IsLatest?: boolean | undefined; Size?: number | undefined }, marker: boolean): void => {
      if (one.Key === key) found.push({ id: one.VersionId ?? "null", size: one.Size, modified: one.LastModified, latest: one.IsLatest ?? false, marker });
    };
    for (const one of answer.Versions ?? []) told(one, false);
    for (const one of answer.DeleteMarkers ?? []) told(one, true);
    // Keys come in order: with another key of the same beginning all versions of this one have come.
    const more = answer.IsTruncated === true && answer.NextKeyMarker === key;
    at = more ? { KeyMarker: answer.NextKeyMarker, VersionIdMarker: answer.NextVersionIdMarker } : undefined;
  }
  return found.sort((one, other) => Number(other.latest) - Number(one.latest) || (other.modified?.getTime() ?? 0) - (one.modified?.getTime() ?? 0));
}

export function Versions({ bucket, name, onChanged }: Which & { onChanged: () => void }): ReactNode {
  const session = useSession();
  const { s3 } = session;
  const [doomed, setDoomed] = useState<Version>();
  const { data, failure, reload } = useLoad(useCallback((signal) => versionsOf(s3, bucket, name, signal), [s3, bucket, name]));
  const action = useAction();
  if (data === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} retry={reload} />;
  if (data.length === 1 && data[0]?.id === "null") return <p className="muted">{text.object.versions.none}</p>;
  const done = (words: string): void => {
    tell(words);
    reload();
    onChanged();
  };
  const restore = (one: Version): void => {
    void action.run(async () => {
      await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: name, CopySource: `${pathOf(bucket, name).slice(1)}?versionId=${encodeURIComponent(one.id)}` }));
      done(text.object.versions.restored);
    });
  };
  return (
    <div className="stack">
      <p className="muted small">{text.object.versions.help}</p>
      <Failed failure={action.failure} />
      <div className="scroll">
        <table>
          <thead><tr><th scope="col">{text.object.facts.changed}</th><th scope="col" className="number">{text.objects.size}</th><th scope="col">{text.object.facts.version}</th><th scope="col"><span className="hidden">{text.buckets.actions}</span></th></tr></thead>
          <tbody>
            {data.map((one) => (
              <tr key={one.id}>
                <td>{when(one.modified)} {one.latest && <span className="badge good">{text.objects.latest}</span>} {one.marker && <span className="badge warning">{text.objects.marker}</span>}</td>
                <td className="number">{one.size === undefined ? "" : bytes(one.size)}</td>
                <td className="mono small clip">{one.id}</td>
                <td>
                  <div className="row end">
                    {!one.marker && <IconButton kind="plain small" icon="download" label={text.object.download} onClick={() => { void action.run(() => download(session, bucket, name, one.id)); }} />}
                    {!one.latest && !one.marker && <Button kind="small" disabled={action.busy} onClick={() => { restore(one); }}>{text.object.versions.restore}</Button>}
                    <IconButton kind="plain small" icon="trash" label={one.marker ? text.object.versions.undelete : text.object.versions.remove} onClick={() => { setDoomed(one); }} />
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {doomed !== undefined && (
        <Confirm title={doomed.marker ? text.object.versions.undelete : text.object.versions.remove} action={text.remove} busy={action.busy} failure={action.failure} onClose={() => { setDoomed(undefined); }} onConfirm={() => {
          void action.run(async () => {
            await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: name, VersionId: doomed.id }));
            setDoomed(undefined);
            done(doomed.marker ? text.object.versions.restored : text.object.versions.removed);
          });
        }}>
          <p>{doomed.marker ? name : text.object.versions.confirm}</p>
        </Confirm>
      )}
    </div>
  );
}
