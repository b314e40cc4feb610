/** The headers that an object is handed out with, and its own metadata. */
import { CopyObjectCommand, type HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { useState, type ReactNode } from "react";
import { useAction } from "../api/load";
import { pathOf } from "../api/put";
import { tell, useSession } from "../api/state";
import { Button, Failed, Input } from "../parts";
import { filled, Pairs, wrongPairs, type Pair } from "../parts/pairs";
import { text } from "../strings";
import type { Which } from "./details";

const MOST = 5 * 1024 ** 3;

export function Metadata({ bucket, name, version, head, onChanged }: Which & { head: HeadObjectCommandOutput; onChanged: () => void }): ReactNode {
  const { s3 } = useSession();
  const [type, setType] = useState(head.ContentType ?? "");
  const [cache, setCache] = useState(head.CacheControl ?? "");
  const [disposition, setDisposition] = useState(head.ContentDisposition ?? "");
  const [pairs, setPairs] = useState<readonly Pair[]>(Object.entries(head.Metadata ?? {}));
  const [wrong, setWrong] = useState<string>();
  const { busy, failure, run } = useAction();
  if ((head.ContentLength ?? 0) > MOST) return <p className="muted">{text.object.metadata.tooLarge}</p>;
  const save = async (): Promise<void> => {
    const problem = wrongPairs(pairs);
    setWrong(problem);
    if (problem !== undefined) return;
    const own = Object.fromEntries(filled(pairs).map(([key, value]) => [key.trim().toLowerCase(), value]));
    await run(async () => {
      await s3.send(new CopyObjectCommand({
        Bucket: bucket,
        Key: name,
        CopySource: pathOf(bucket, name).slice(1) + (version === undefined ? "" : `?versionId=${encodeURIComponent(version)}`),
        CopySourceIfMatch: head.ETag,
        MetadataDirective: "REPLACE",
        ContentType: type || undefined,
        CacheControl: cache || undefined,
        ContentDisposition: disposition || undefined,
        ContentEncoding: head.ContentEncoding,
        ContentLanguage: head.ContentLanguage,
        Expires: undefined,
        Metadata: own,
        ServerSideEncryption: head.ServerSideEncryption,
        SSEKMSKeyId: head.SSEKMSKeyId,
      }));
      tell(text.saved);
      onChanged();
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <p className="muted small">{text.object.metadata.help}</p>
      <Input label={text.object.metadata.type} className="mono" value={type} onChange={(event) => { setType(event.target.value); }} />
      <Input label={text.object.metadata.cache} className="mono" value={cache} onChange={(event) => { setCache(event.target.value); }} />
      <Input label={text.object.metadata.disposition} className="mono" value={disposition} onChange={(event) => { setDisposition(event.target.value); }} />
      <Pairs label={text.object.metadata.own} pairs={pairs} wrong={wrong} onChange={setPairs} />
      <Failed failure={failure} />
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}
