/** What can be said about a bucket policy before the server is asked (IAM User Guide, "Grammar of the IAM JSON policy language"). */
import { text } from "../strings";

const MEMBERS = new Set(["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]);

/** What is wrong with a policy, in words; undefined when nothing was found. */
export function wrongPolicy(document: unknown, bucket: string): string | undefined {
  const words = text.bucket.policy;
  if (typeof document !== "object" || document === null || Array.isArray(document)) return words.object;
  const { Version: version, Statement: statement } = document as Record<string, unknown>;
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") return words.version;
  const statements: unknown[] = Array.isArray(statement) ? statement : statement === undefined ? [] : [statement];
  if (statements.length === 0) return words.statement;
  for (const [index, one] of statements.entries()) {
    const number = index + 1;
    if (typeof one !== "object" || one === null) return words.statement;
    const members = one as Record<string, unknown>;
    const stranger = Object.keys(members).find((name) => !MEMBERS.has(name));
    if (stranger !== undefined) return words.unknown(number, stranger);
    if (members.Effect !== "Allow" && members.Effect !== "Deny") return words.effect(number);
    for (const name of ["Principal", "Action", "Resource"])
      if ((name in members) === (`Not${name}` in members)) return words.one(number, `${name}, Not${name}`);
    const resources = members.Resource ?? members.NotResource;
    const named: unknown[] = Array.isArray(resources) ? resources : [resources];
    const other = named.find((resource) => typeof resource !== "string" || (resource !== "*" && !covers(resource, bucket)));
    if (other !== undefined) return words.resource(number, String(other), bucket);
  }
  return undefined;
}

function covers(resource: string, bucket: string): boolean {
  const name = /^arn:aws:s3:::([^/]*)/.exec(resource)?.[1];
  return name !== undefined && (name === bucket || /[*?$]/.test(name));
}

export const EXAMPLES: Readonly<Record<"read" | "write" | "secure" | "user", (bucket: string) => object>> = {
  read: (bucket) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: "*", Action: ["s3:GetObject"], Resource: [`arn:aws:s3:::${bucket}/*`] }] }),
  write: (bucket) => ({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: "*", Action: ["s3:ListBucket"], Resource: [`arn:aws:s3:::${bucket}`] },
      { Effect: "Allow", Principal: "*", Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], Resource: [`arn:aws:s3:::${bucket}/*`] },
    ],
  }),
  secure: (bucket) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`], Condition: { Bool: { "aws:SecureTransport": "false" } } }],
  }),
  user: (bucket) => ({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:user/ann" }, Action: ["s3:GetObject", "s3:ListBucket"], Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`] },
    ],
  }),
};
