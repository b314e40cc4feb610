/** Sends bytes to S3 by XMLHttpRequest, which tells how far it is: fetch does not. The digest of the bytes is signed with the request. */
import { Sha256 } from "@aws-crypto/sha256-browser";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { Failure, kindOf } from "./failure";
import { below, type Session } from "./session";

export interface Put {
  readonly bucket: string;
  readonly key: string;
  readonly body: Blob;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onProgress: (sent: number) => void;
}

/** A key as it stands in a path: each slash stays one. */
export function pathOf(bucket: string, key: string): string {
  return `/${bucket}/${key.split("/").map((piece) => encodeURIComponent(piece).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)).join("/")}`;
}

/** Puts an object, or a part of one; returns its ETag. Throws a Failure. */
export async function put(session: Session, what: Put): Promise<string> {
  const digest = new Sha256();
  digest.update(new Uint8Array(await what.body.arrayBuffer()));
  const hex = [...(await digest.digest())].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const signer = new SignatureV4({ credentials: session.credentials, region: session.about.region, service: "s3", sha256: Sha256, uriEscapePath: false });
  const path = pathOf(what.bucket, what.key);
  const request = new HttpRequest({
    method: "PUT",
    protocol: location.protocol,
    hostname: location.hostname,
    path,
    query: { ...what.query },
    headers: { host: location.host, "x-amz-content-sha256": hex, ...what.headers },
  });
  const signed = await signer.sign(request, { signingDate: new Date(Date.now() + session.api.ahead) });
  const search = Object.entries(what.query ?? {}).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  return send(`${below(path)}${search === "" ? "" : `?${search}`}`, signed.headers, what);
}

function send(url: string, headers: Readonly<Record<string, string>>, what: Put): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) if (name !== "host") request.setRequestHeader(name, value);
    const stop = (): void => {
      request.abort();
    };
    request.upload.onprogress = (event) => {
      what.onProgress(event.loaded);
    };
    request.onload = () => {
      if (request.status < 300) resolve(request.getResponseHeader("etag") ?? "");
      else reject(refusal(request));
    };
    request.onerror = () => {
      reject(new Failure("offline", "NetworkError", ""));
    };
    request.onabort = () => {
      reject(new Failure("stopped", "AbortError", ""));
    };
    request.onloadend = () => {
      what.signal.removeEventListener("abort", stop);
    };
    what.signal.addEventListener("abort", stop);
    if (what.signal.aborted) stop();
    else request.send(what.body);
  });
}

function refusal(request: XMLHttpRequest): Failure {
  const document = new DOMParser().parseFromString(request.responseText, "application/xml");
  const said = (name: string): string => document.querySelector(name)?.textContent ?? "";
  const code = said("Code") || `HTTP ${String(request.status)}`;
  return new Failure(kindOf(code, request.status), code, said("Message") || request.statusText, "", said("RequestId"));
}
