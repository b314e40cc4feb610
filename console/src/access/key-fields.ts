/** The fields of the form of a key: what is wrong with them, and what they mean. */
import { text } from "../strings";
import { split } from "./kinds";

const words = text.access.key;

export const LIMITS = ["actions", "buckets", "prefixes", "networks"] as const;
export type Limits = Readonly<Record<(typeof LIMITS)[number], string>>;

/** What is wrong with one of the limits of a key, in words; undefined when nothing was found. */
export function wrongLimit(name: keyof Limits, typed: string): string | undefined {
  for (const one of split(typed)) {
    if (name === "actions" && one !== "*" && !/^[a-z0-9]+:[A-Za-z*?-]+$/.test(one)) return words.wrongAction(one);
    if (name === "buckets" && !/^[a-z0-9._*?-]{1,63}$/.test(one)) return words.wrongBucket(one);
    if (name === "networks" && !/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)(\/\d{1,3})?$/.test(one)) return words.wrongNetwork(one);
  }
  return undefined;
}

/** When a key is to end, as the API takes it: null for never, undefined where the date is wrong. */
export function endOf(after: string, date: string, now: number): string | null | undefined {
  if (after === "") return null;
  const at = after === "date" ? new Date(date).getTime() : now + Number(after) * 86_400_000;
  return Number.isNaN(at) || at <= now ? undefined : new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
