/** Asks IAM (IAM API Reference, "Making query requests"): a form for each action, signed here like all else. */
import { Sha256 } from "@aws-crypto/sha256-browser";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { Failure, kindOf } from "./failure";
import { below, type Session } from "./session";

export type Form = Readonly<Record<string, string | undefined>>;

/** The answer to one action. Members that are undefined are left out. Throws a Failure. */
export async function iam(session: Session, action: string, form: Form = {}, signal?: AbortSignal): Promise<Document> {
  const body = new URLSearchParams({ Action: action, Version: "2010-05-08" });
  for (const [name, value] of Object.entries(form)) if (value !== undefined) body.set(name, value);
  const signer = new SignatureV4({ credentials: session.credentials, region: session.about.region, service: "iam", sha256: Sha256 });
  const headers = { host: location.host, "content-type": "application/x-www-form-urlencoded" };
  const request = new HttpRequest({ method: "POST", protocol: location.protocol, hostname: location.hostname, path: "/", headers, body: body.toString() });
  const signed = await signer.sign(request, { signingDate: new Date(Date.now() + session.api.ahead) });
  delete signed.headers.host;
  const answer = await fetch(below("/"), { method: "POST", headers: signed.headers, body: body.toString(), cache: "no-store", credentials: "omit", ...(signal && { signal }) });
  const document = new DOMParser().parseFromString(await answer.text(), "application/xml");
  if (answer.ok) return document;
  const code = first(document, "Code") || `HTTP ${String(answer.status)}`;
  throw new Failure(kindOf(code, answer.status), code, first(document, "Message") || answer.statusText, "", first(document, "RequestId"));
}

/** All members of a list that may come in pages. */
export async function iamAll(session: Session, action: string, form: Form = {}, signal?: AbortSignal): Promise<Element[]> {
  const found: Element[] = [];
  for (let marker: string | undefined; ;) {
    const page = await iam(session, action, { ...form, Marker: marker }, signal);
    found.push(...page.querySelectorAll(`${action}Result > * > member`));
    if (first(page, "IsTruncated") !== "true") return found;
    marker = first(page, "Marker");
  }
}

/** The text of the first element of that name; empty where there is none. */
export function first(within: Document | Element, name: string): string {
  return within.getElementsByTagName(name)[0]?.textContent ?? "";
}
