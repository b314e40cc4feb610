/** Links that are signed: for the browser's own downloads, and for other people. */
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { below, clientAt, type Session } from "../api/session";

/** A link at the page's own origin, good for an hour; with `download` the browser saves it under that name. */
export async function ownLink(session: Session, bucket: string, key: string, version?: string, download?: string): Promise<string> {
  const client = clientAt(location.origin, session.credentials, session.about.region);
  const disposition = download === undefined ? undefined : `attachment; filename*=UTF-8''${encodeURIComponent(download)}`;
  const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version, ResponseContentDisposition: disposition });
  const url = new URL(await getSignedUrl(client, command, { expiresIn: 3600 }));
  return below(url.pathname) + url.search;
}

/** A link for somebody else, at the address where S3 is for them. */
export async function sharedLink(session: Session, endpoint: string, what: { bucket: string; key: string; version?: string | undefined; method: "GET" | "PUT"; seconds: number }): Promise<string> {
  const client = clientAt(endpoint, session.credentials, session.about.region);
  const place = { Bucket: what.bucket, Key: what.key };
  const command = what.method === "GET" ? new GetObjectCommand({ ...place, VersionId: what.version }) : new PutObjectCommand(place);
  // The two commands are of different types to the signer.
  return what.method === "GET" ? getSignedUrl(client, command as GetObjectCommand, { expiresIn: what.seconds }) : getSignedUrl(client, command as PutObjectCommand, { expiresIn: what.seconds });
}

/** Has the browser save an object: it writes to the disk what comes, so the size does not matter. */
export async function download(session: Session, bucket: string, key: string, version?: string): Promise<void> {
  const link = document.createElement("a");
  link.href = await ownLink(session, bucket, key, version, key.split("/").pop() || key);
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}
