/** What went wrong, in a form that pages can show: one sentence, and what to do. */
import { text } from "../strings";

export type Kind = "offline" | "session" | "denied" | "busy" | "missing" | "invalid" | "conflict" | "stopped" | "other";

export class Failure extends Error {
  constructor(
    readonly kind: Kind,
    readonly code: string,
    message: string,
    /** The field of the request that is wrong, e.g. `body.quota`; empty when it is none. */
    readonly field = "",
    readonly requestId = "",
  ) {
    super(message);
  }

  /** What happened, and what to do about it. */
  get sentence(): string {
    const said = text.failures[this.kind];
    return said === "" ? this.message : said;
  }

  /** What the server said itself, where that tells more than the sentence. */
  get details(): string {
    const id = this.requestId === "" ? "" : ` (${text.failures.request} ${this.requestId})`;
    return this.sentence === this.message ? id.trim() : `${this.code}: ${this.message}${id}`;
  }
}

const SESSION = new Set(["ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "TokenRefreshRequired"]);

/** The kind of a refusal, by its code and its status number. */
export function kindOf(code: string, status: number): Kind {
  if (SESSION.has(code)) return "session";
  if (status === 403 || status === 401) return code === "QuotaExceeded" ? "conflict" : "denied";
  if (status === 503 || status === 429) return "busy";
  if (status === 502 || status === 504) return "offline";
  if (status === 404) return "missing";
  if (status === 409 || status === 412) return "conflict";
  return status >= 400 && status < 500 ? "invalid" : "other";
}

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** Any error as a Failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const known = (typeof error === "object" && error !== null ? error : {}) as SdkError;
  if (known.name === "AbortError") return new Failure("stopped", "AbortError", text.failures.stopped);
  const status = known.$metadata?.httpStatusCode;
  if (status !== undefined && status >= 300) {
    const code = known.name ?? known.Code ?? "Error";
    return new Failure(kindOf(code, status), code, known.message ?? code, "", known.$metadata?.requestId ?? "");
  }
  // A request that was never answered has no status: the connection is gone.
  if (error instanceof TypeError || known.name === "NetworkError" || known.name === "TimeoutError" || known.$metadata !== undefined)
    return new Failure("offline", "NetworkError", known.message ?? "");
  return new Failure("other", known.name ?? "Error", known.message ?? String(error));
}
