/** Who is signed in. The secret is in memory; in sessionStorage, which ends with the tab, only when that was asked for. */
import { S3Client, type ServiceInputTypes, type ServiceOutputTypes } from "@aws-sdk/client-s3";
import { HttpRequest } from "@smithy/protocol-http";
import type { FinalizeRequestMiddleware } from "@smithy/types";
import { AdminClient } from "./admin";
import { failureOf } from "./failure";
import { base, type About } from "./place";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Session {
  readonly credentials: Credentials;
  readonly about: About;
  /** Whether the admin API answers: somebody without `admin:*` sees what S3 lets them. */
  readonly admin: boolean;
  readonly api: AdminClient;
  readonly s3: S3Client;
}

const KEPT = "geckos3.session";

export function keep(credentials: Credentials | null): void {
  if (credentials === null) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, JSON.stringify(credentials));
}

export function kept(): Credentials | null {
  const found = sessionStorage.getItem(KEPT);
  return found === null ? null : (JSON.parse(found) as Credentials);
}

/** A session for credentials that are good. Throws a Failure. */
export async function signIn(credentials: Credentials, about: About): Promise<Session> {
  const api = new AdminClient(credentials, about.region);
  let admin = true;
  try {
    await api.get("/server");
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code !== "AccessDenied") throw failure;
    admin = false;
  }
  return { credentials, about, admin, api, s3: s3For(credentials, about.region) };
}

/** A client of S3 at `endpoint`, for what is signed and sent by somebody else. */
export function clientAt(endpoint: string, credentials: Credentials, region: string): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

/** The client of S3 behind the page's own origin: requests are signed for the root, and sent to `s3/` beside the page. */
export function s3For(credentials: Credentials, region: string): S3Client {
  const client = clientAt(location.origin, credentials, region);
  const moves: FinalizeRequestMiddleware<ServiceInputTypes, ServiceOutputTypes> = (next) => (args) => {
    const request = HttpRequest.clone(args.request as HttpRequest);
    request.path = below(request.path);
    return next({ ...args, request });
  };
  client.middlewareStack.addRelativeTo(moves, { name: "belowThePage", relation: "after", toMiddleware: "httpSigningMiddleware" });
  return client;
}

/** Where a path of S3 is found at the page's origin. */
export function below(path: string): string {
  return `${base}s3${path}`;
}
