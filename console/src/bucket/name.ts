/** What S3 says about names of buckets (S3 User Guide, "General purpose bucket naming rules"). */
import { text } from "../strings";

/** What is wrong with a name, in words; undefined when it is good. */
export function wrongName(name: string): string | undefined {
  const { wrong } = text.bucket.create;
  if (name.length < 3) return wrong.short;
  if (name.length > 63) return wrong.long;
  if (!/^[a-z0-9.-]+$/.test(name)) return wrong.letters;
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return wrong.ends;
  if (name.includes("..")) return wrong.dots;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return wrong.address;
  if (/^(xn--|sthree-|amzn-s3-demo-)/.test(name) || /(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name) || name === "minio") return wrong.reserved;
  return undefined;
}

/** Whether a text is a size as the server reads it: a number, with a unit or without. */
export function isSize(typed: string): boolean {
  return /^\d+(\.\d+)?\s*([kmgtp]i?b?|b)?$/i.test(typed.trim());
}
