/** Asks the admin API: requests are signed here, so the secret never leaves the page. */
import { Sha256 } from "@aws-crypto/sha256-browser";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { Failure, kindOf } from "./failure";
import { base } from "./place";
import type { Credentials } from "./session";

const PREFIX = "/api/v1";

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Refused {
  readonly code?: string;
  readonly message?: string;
  readonly requestId?: string;
}

export class AdminClient {
  readonly #signer: SignatureV4;
  /** Milliseconds that the server's clock is ahead of the browser's. */
  #ahead = 0;

  constructor(credentials: Credentials, region: string) {
    this.#signer = new SignatureV4({ credentials, region, service: "s3", sha256: Sha256, uriEscapePath: false });
  }

  get ahead(): number {
    return this.#ahead;
  }

  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return this.ask<T>("GET", path, { query, ...(signal && { signal }) });
  }

  /** One request; the answer's JSON. Throws a Failure. */
  async ask<T>(method: string, path: string, more: { query?: Query; body?: unknown; ifMatch?: string; signal?: AbortSignal } = {}): Promise<T> {
    const answer = await this.send(method, path, more);
    const told = await answer.text();
    return (told === "" ? undefined : JSON.parse(told)) as T;
  }

  /** One request; its answer, which is a success. For streams. Throws a Failure. */
  async send(method: string, path: string, more: { query?: Query; body?: unknown; ifMatch?: string; signal?: AbortSignal } = {}): Promise<Response> {
    let answer = await this.#try(method, path, more);
    if (answer.status === 403) {
      const refused = await refusal(answer);
      const date = Date.parse(answer.headers.get("date") ?? "");
      if (refused.code !== "RequestTimeTooSkewed" || Number.isNaN(date)) throw refused;
      this.#ahead = date - Date.now();
      answer = await this.#try(method, path, more);
    }
    if (!answer.ok) throw await refusal(answer);
    return answer;
  }

  async #try(method: string, path: string, more: { query?: Query; body?: unknown; ifMatch?: string; signal?: AbortSignal }): Promise<Response> {
    const query: Record<string, string> = {};
    for (const [name, value] of Object.entries(more.query ?? {})) if (value !== undefined) query[name] = String(value);
    const headers: Record<string, string> = { host: location.host };
    const body = more.body === undefined ? undefined : JSON.stringify(more.body);
    if (body !== undefined) headers["content-type"] = "application/json";
    if (more.ifMatch !== undefined) headers["if-match"] = more.ifMatch;
    const request = new HttpRequest({ method, protocol: location.protocol, hostname: location.hostname, path: PREFIX + path, query, headers, body });
    const signed = await this.#signer.sign(request, { signingDate: new Date(Date.now() + this.#ahead) });
    delete signed.headers.host;
    const search = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
    const init: RequestInit = { method, headers: signed.headers, cache: "no-store", credentials: "omit" };
    if (body !== undefined) init.body = body;
    if (more.signal !== undefined) init.signal = more.signal;
    return fetch(base + PREFIX.slice(1) + path + (search === "" ? "" : `?${search}`), init);
  }
}

/** A piece of a path, as it is signed and sent. */
export function piece(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

async function refusal(answer: Response): Promise<Failure> {
  let told: Refused = {};
  try {
    told = (await answer.json()) as Refused;
  } catch {
    // A proxy in between answers with a page of its own.
  }
  const code = told.code ?? `HTTP ${String(answer.status)}`;
  const message = told.message ?? answer.statusText;
  const field = /^((?:body|query|path)(?:\.[\w-]+)*): /.exec(message)?.[1] ?? "";
  return new Failure(kindOf(code, answer.status), code, field === "" ? message : message.slice(field.length + 2), field, told.requestId ?? "");
}
