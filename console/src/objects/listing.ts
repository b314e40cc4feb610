/** What is in a folder of a bucket, page by page. */
import { ListObjectVersionsCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";

export interface Entry {
  readonly kind: "folder" | "object" | "marker";
  /** The whole key; a folder's ends with a slash. */
  readonly key: string;
  readonly size: number;
  readonly modified: string;
  readonly etag: string;
  readonly storage: string;
  /** Of a listing with versions. */
  readonly version?: string;
  readonly latest?: boolean;
}

export interface Page {
  readonly entries: readonly Entry[];
  readonly next: Next | undefined;
}

export interface Next {
  readonly token: string;
  readonly version?: string | undefined;
}

/** Identifies an entry in its list. */
export function idOf(entry: Entry): string {
  return entry.version === undefined ? entry.key : `${entry.key}\n${entry.version}`;
}

/** The last piece of a key below a folder. */
export function leaf(key: string, folder: string): string {
  return key.startsWith(folder) ? key.slice(folder.length) : key;
}

/**
 * One page.
 *
 * @param prefix the folder, and the beginning of the names that are looked for in it.
 * @param versions whether old versions and delete markers are listed, too.
 */
export async function listPage(s3: S3Client, bucket: string, prefix: string, versions: boolean, after: Next | undefined, signal?: AbortSignal): Promise<Page> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  if (!versions) {
    const answer = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: "/", MaxKeys: 1000, ContinuationToken: after?.token }), options);
    const objects = (answer.Contents ?? []).map((one): Entry => ({
      kind: "object",
      key: one.Key ?? "",
      size: one.Size ?? 0,
      modified: one.LastModified?.toISOString() ?? "",
      etag: one.ETag ?? "",
      storage: one.StorageClass ?? "STANDARD",
    }));
    const next = answer.NextContinuationToken;
    return { entries: inOrder([...folders(answer.CommonPrefixes), ...objects]), next: next === undefined ? undefined : { token: next } };
  }
  const answer = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, Delimiter: "/", MaxKeys: 1000, KeyMarker: after?.token, VersionIdMarker: after?.version }),
    options,
  );
  const found: Entry[] = folders(answer.CommonPrefixes);
  for (const one of answer.Versions ?? [])
    found.push({
      kind: "object",
      key: one.Key ?? "",
      size: one.Size ?? 0,
      modified: one.LastModified?.toISOString() ?? "",
      etag: one.ETag ?? "",
      storage: one.StorageClass ?? "STANDARD",
      version: one.VersionId ?? "null",
      latest: one.IsLatest ?? false,
    });
  for (const one of answer.DeleteMarkers ?? [])
    found.push({ kind: "marker", key: one.Key ?? "", size: 0, modified: one.LastModified?.toISOString() ?? "", etag: "", storage: "", version: one.VersionId ?? "null", latest: one.IsLatest ?? false });
  const next = answer.IsTruncated === true && answer.NextKeyMarker !== undefined ? { token: answer.NextKeyMarker, version: answer.NextVersionIdMarker } : undefined;
  return { entries: inOrder(found), next };
}

function folders(prefixes: readonly { Prefix?: string | undefined }[] | undefined): Entry[] {
  return (prefixes ?? []).map((one) => ({ kind: "folder", key: one.Prefix ?? "", size: 0, modified: "", etag: "", storage: "" }));
}

/** As the server orders keys, folders among objects; versions of one key from the newest. */
function inOrder(entries: Entry[]): Entry[] {
  return entries.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : one.modified < other.modified ? 1 : one.modified > other.modified ? -1 : 0));
}

/** All keys below a prefix, page by page; with versions, all of theirs. */
export async function* everything(s3: S3Client, bucket: string, prefix: string, versions: boolean, signal: AbortSignal): AsyncGenerator<{ key: string; version?: string }[]> {
  let token: string | undefined;
  let version: string | undefined;
  do {
    if (versions) {
      const answer = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, KeyMarker: token, VersionIdMarker: version }), { abortSignal: signal });
      yield [...(answer.Versions ?? []), ...(answer.DeleteMarkers ?? [])].map((one) => ({ key: one.Key ?? "", version: one.VersionId ?? "null" }));
      token = answer.IsTruncated === true ? answer.NextKeyMarker : undefined;
      version = answer.NextVersionIdMarker;
    } else {
      const answer = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }), { abortSignal: signal });
      yield (answer.Contents ?? []).map((one) => ({ key: one.Key ?? "" }));
      token = answer.NextContinuationToken;
    }
  } while (token !== undefined);
}
