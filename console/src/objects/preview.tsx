/** A look at an object. Whatever is in it never runs: text is shown as text, the rest by elements that run no scripts. */
import { GetObjectCommand, type HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { useLoad } from "../api/load";
import { useSession } from "../api/state";
import { bytes } from "../format";
import { Failed, Loading } from "../parts";
import { text } from "../strings";
import { ownLink } from "./links";

const TEXT_MOST = 256 * 1024;
const PDF_MOST = 50 * 1024 * 1024;

export type Look = "image" | "video" | "audio" | "pdf" | "text" | "none";

const BY_NAME: readonly (readonly [RegExp, Look])[] = [
  [/\.(png|jpe?g|gif|webp|avif|bmp|ico|svg)$/i, "image"],
  [/\.(mp4|webm|mov|m4v|ogv)$/i, "video"],
  [/\.(mp3|ogg|oga|wav|flac|m4a|opus)$/i, "audio"],
  [/\.pdf$/i, "pdf"],
  [/\.(txt|md|markdown|json|ndjson|csv|tsv|xml|ya?ml|toml|ini|conf|log|sh|py|js|ts|tsx|jsx|css|html?|c|h|cpp|rs|go|java|rb|php|sql|lua|env|cfg|diff|patch)$/i, "text"],
];

/** How an object is looked at, by its type, or by its name where the type says nothing. */
export function lookOf(key: string, type: string): Look {
  const kind = type.split(";")[0]?.trim().toLowerCase() ?? "";
  if (kind.startsWith("image/")) return "image";
  if (kind.startsWith("video/")) return "video";
  if (kind.startsWith("audio/")) return "audio";
  if (kind === "application/pdf") return "pdf";
  if (kind.startsWith("text/") || /[/+](json|xml|yaml|javascript|x-ndjson|x-sh|toml|sql)$/.test(kind)) return "text";
  if (kind === "" || kind.endsWith("/octet-stream")) return BY_NAME.find(([names]) => names.test(key))?.[1] ?? "none";
  return "none";
}

export function Preview({ bucket, name, version, head }: { bucket: string; name: string; version: string | undefined; head: HeadObjectCommandOutput }): ReactNode {
  const look = lookOf(name, head.ContentType ?? "");
  const size = head.ContentLength ?? 0;
  if (size === 0) return <p className="muted">{text.object.preview.empty}</p>;
  if (look === "text") return <Text bucket={bucket} name={name} version={version} size={size} />;
  if (look === "pdf" && size > PDF_MOST) return <p className="muted">{text.object.preview.tooLarge(bytes(PDF_MOST))}</p>;
  if (look === "none") return <p className="muted">{text.object.preview.none}</p>;
  return look === "pdf" ? <Pdf bucket={bucket} name={name} version={version} /> : <Media look={look} bucket={bucket} name={name} version={version} />;
}

interface Which {
  readonly bucket: string;
  readonly name: string;
  readonly version: string | undefined;
}

function Media({ look, bucket, name, version }: Which & { look: Look }): ReactNode {
  const session = useSession();
  const { data, failure } = useLoad(useCallback(() => ownLink(session, bucket, name, version), [session, bucket, name, version]));
  if (data === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} />;
  const label = text.object.preview.of(name);
  if (look === "image") return <figure className="preview"><img src={data} alt={label} /></figure>;
  // eslint-disable-next-line jsx-a11y/media-has-caption -- what somebody stored has none
  return <figure className="preview">{look === "video" ? <video src={data} controls aria-label={label} /> : <audio src={data} controls aria-label={label} />}</figure>;
}

function Pdf({ bucket, name, version }: Which): ReactNode {
  const { s3 } = useSession();
  const { data, failure } = useLoad(useCallback(async (signal) => {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: name, VersionId: version }), { abortSignal: signal });
    const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
    // The type is ours, whatever is in it: the browser's own viewer opens it, or nothing does.
    return new Blob([new Uint8Array(body)], { type: "application/pdf" });
  }, [s3, bucket, name, version]));
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (data === undefined) return;
    const made = URL.createObjectURL(data);
    setUrl(made);
    return () => { URL.revokeObjectURL(made); };
  }, [data]);
  if (url === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} />;
  return <iframe className="pdf" src={url} title={text.object.preview.of(name)} />;
}

function Text({ bucket, name, version, size }: Which & { size: number }): ReactNode {
  const { s3 } = useSession();
  const { data, failure } = useLoad(useCallback(async (signal) => {
    const range = size > TEXT_MOST ? { Range: `bytes=0-${String(TEXT_MOST - 1)}` } : {};
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: name, VersionId: version, ...range }), { abortSignal: signal });
    return (await answer.Body?.transformToString()) ?? "";
  }, [s3, bucket, name, version, size]));
  if (data === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} />;
  return (
    <div className="stack tight">
      {size > TEXT_MOST && <p className="muted small">{text.object.preview.large(bytes(TEXT_MOST))}</p>}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls by keys */}
      <pre className="code" tabIndex={0} role="region" aria-label={text.object.preview.of(name)}>{size > TEXT_MOST ? data : readable(name, data)}</pre>
    </div>
  );
}

/** JSON in lines; everything else as it is. */
export function readable(name: string, told: string): string {
  if (!/\.json$/i.test(name) && !/^\s*[{[]/.test(told)) return told;
  try {
    return JSON.stringify(JSON.parse(told), null, 2);
  } catch {
    return told;
  }
}
