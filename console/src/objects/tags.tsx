/** The tags of an object. */
import { DeleteObjectTaggingCommand, GetObjectTaggingCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { useCallback, type ReactNode } from "react";
import { useLoad } from "../api/load";
import { useSession } from "../api/state";
import { Failed, Loading } from "../parts";
import { TagForm } from "../parts/tag-form";
import type { Which } from "./details";

export function ObjectTags({ bucket, name, version }: Which): ReactNode {
  const { s3 } = useSession();
  const place = { Bucket: bucket, Key: name, VersionId: version };
  const { data, failure, reload } = useLoad(useCallback((signal) => s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: name, VersionId: version }), { abortSignal: signal }), [s3, bucket, name, version]));
  if (data === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} retry={reload} />;
  return (
    <TagForm tags={(data.TagSet ?? []).map((one) => [one.Key ?? "", one.Value ?? ""])} onSave={async (tags) => {
      if (tags.length === 0) await s3.send(new DeleteObjectTaggingCommand(place));
      else await s3.send(new PutObjectTaggingCommand({ ...place, Tagging: { TagSet: tags.map(([Key, Value]) => ({ Key, Value })) } }));
    }} />
  );
}
