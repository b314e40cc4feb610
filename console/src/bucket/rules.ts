/** Lifecycle rules as the form and the JSON editor have them. */
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { text } from "../strings";

export interface Simple {
  readonly id: string;
  readonly prefix: string;
  readonly enabled: boolean;
  /** Days as they were typed; empty for never. */
  readonly expire: string;
  readonly old: string;
  readonly abort: string;
  readonly markers: boolean;
}

export const NEW: Simple = { id: "", prefix: "", enabled: true, expire: "", old: "", abort: "", markers: false };

/** A rule as the form shows it; `more` when it has parts that the form does not know, which stay as they are. */
export function simple(rule: LifecycleRule): { readonly form: Simple; readonly more: boolean } {
  const form: Simple = {
    id: rule.ID ?? "",
    prefix: rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? prefixOf(rule) ?? "",
    enabled: rule.Status === "Enabled",
    expire: daysOf(rule.Expiration?.Days),
    old: daysOf(rule.NoncurrentVersionExpiration?.NoncurrentDays),
    abort: daysOf(rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation),
    markers: rule.Expiration?.ExpiredObjectDeleteMarker ?? false,
  };
  const filter = Object.keys(rule.Filter ?? {}).filter((name) => name !== "Prefix");
  const more = filter.length > 0 || rule.Transitions !== undefined || rule.NoncurrentVersionTransitions !== undefined || rule.Expiration?.Date !== undefined || rule.NoncurrentVersionExpiration?.NewerNoncurrentVersions !== undefined;
  return { form, more };
}

/** The old place of a prefix, which some rules still have. */
function prefixOf(rule: LifecycleRule): string | undefined {
  return (rule as { Prefix?: string }).Prefix;
}

function daysOf(days: number | undefined): string {
  return days === undefined ? "" : String(days);
}

/** The rule that a form asks for; what it does not know of an old one stays. */
export function ruleOf(form: Simple, old?: LifecycleRule): LifecycleRule {
  const expires = form.expire !== "" || form.markers;
  const { Expiration: before, NoncurrentVersionExpiration: noncurrent, AbortIncompleteMultipartUpload: _abort, ...rest } = old ?? { Status: "Enabled" as const };
  const expiration = expires ? { ...(form.expire !== "" && { Days: Number(form.expire) }), ...(form.markers && { ExpiredObjectDeleteMarker: true }) } : before?.Date !== undefined ? { Date: before.Date } : undefined;
  const { And: and, ...filter } = rest.Filter ?? {};
  return {
    ...rest,
    ...(form.id !== "" && { ID: form.id }),
    Status: form.enabled ? "Enabled" : "Disabled",
    Filter: and === undefined ? { ...filter, Prefix: form.prefix } : { And: { ...and, Prefix: form.prefix } },
    ...(expiration && { Expiration: expiration }),
    ...(form.old !== "" && { NoncurrentVersionExpiration: { ...noncurrent, NoncurrentDays: Number(form.old) } }),
    ...(form.abort !== "" && { AbortIncompleteMultipartUpload: { DaysAfterInitiation: Number(form.abort) } }),
  };
}

/** What is wrong with a form, by field. */
export function wrongRule(form: Simple): Partial<Record<"expire" | "old" | "abort" | "all", string>> {
  const wrong: Partial<Record<"expire" | "old" | "abort" | "all", string>> = {};
  for (const name of ["expire", "old", "abort"] as const)
    if (form[name] !== "" && !/^[1-9]\d*$/.test(form[name])) wrong[name] = text.bucket.lifecycle.wrongDays;
  if (form.expire === "" && form.old === "" && form.abort === "" && !form.markers) wrong.all = text.bucket.lifecycle.nothing;
  return wrong;
}

/** What a rule does, in words. */
export function said(rule: LifecycleRule): string {
  const { actions, does, more } = text.bucket.lifecycle;
  const { form, more: hasMore } = simple(rule);
  const parts = (["expire", "old", "abort"] as const).filter((name) => form[name] !== "").map((name) => does(actions[name], Number(form[name])));
  if (form.markers) parts.push(actions.markers);
  if (hasMore) parts.push(more);
  return parts.join(", ");
}

/** Rules that were read as JSON, with their dates as the SDK wants them. */
export function revived(rules: unknown): LifecycleRule[] {
  return JSON.parse(JSON.stringify(rules), (name, value: unknown) => (name === "Date" && typeof value === "string" ? new Date(value) : value)) as LifecycleRule[];
}
