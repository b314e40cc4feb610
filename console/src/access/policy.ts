/** What can be said about a policy of a user, a group or a role before the server is asked (IAM User Guide, "Grammar of the IAM JSON policy language"). */
import { text } from "../strings";

const MEMBERS = new Set(["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]);

/** What is wrong with a policy, in words; undefined when nothing was found. A trust policy names principals and no resources. */
export function wrongIdentityPolicy(document: unknown, trust = false): string | undefined {
  const words = text.bucket.policy;
  if (typeof document !== "object" || document === null || Array.isArray(document)) return words.object;
  const { Version: version, Statement: statement } = document as Record<string, unknown>;
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") return words.version;
  const statements: unknown[] = Array.isArray(statement) ? statement : statement === undefined ? [] : [statement];
  if (statements.length === 0) return words.statement;
  for (const [index, one] of statements.entries()) {
    if (typeof one !== "object" || one === null) return words.statement;
    const members = one as Record<string, unknown>;
    const stranger = Object.keys(members).find((name) => !MEMBERS.has(name));
    if (stranger !== undefined) return words.unknown(index + 1, stranger);
    if (members.Effect !== "Allow" && members.Effect !== "Deny") return words.effect(index + 1);
    if (!trust && ("Principal" in members || "NotPrincipal" in members)) return text.access.policy.principal(index + 1);
    for (const name of trust ? ["Principal", "Action"] : ["Action", "Resource"])
      if (!(name in members) && !(`Not${name}` in members)) return text.access.policy.needs(index + 1, name);
  }
  return undefined;
}

const allow = (action: string | string[], resource: string | string[]): object => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: resource }] });

export const EXAMPLES: Readonly<Record<"all" | "read" | "bucket" | "admin", object>> = {
  all: allow("s3:*", "*"),
  read: allow(["s3:ListAllMyBuckets", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"], "*"),
  bucket: allow("s3:*", ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"]),
  admin: allow(["admin:*", "s3:*", "iam:*"], "*"),
};

export const TRUST = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:user/NAME" }, Action: "sts:AssumeRole" }] };
