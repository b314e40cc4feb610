/** What somebody should do something about. */
import { number } from "../format";
import { text } from "../strings";

export interface Known {
  readonly defaultKeys: boolean;
  readonly auth: boolean;
  readonly gauges: Readonly<Record<string, number>>;
  readonly certificates: readonly { readonly subject: string; readonly days_left: number }[];
  readonly jobs: readonly { readonly name: string; readonly runs: number; readonly last_begun: string | null; readonly last_succeeded: string | null; readonly running: boolean }[];
}

export interface Warning {
  readonly kind: "error" | "warning";
  readonly title: string;
  readonly todo: string;
}

export function warnings(known: Known): Warning[] {
  const words = text.dashboard.warnings;
  const found: Warning[] = [];
  const add = (kind: Warning["kind"], [title, todo]: readonly [string, string]): void => {
    found.push({ kind, title, todo });
  };
  if (!known.auth) add("error", words.open);
  if (known.defaultKeys && known.auth) add("error", words.keys);
  const { geckos3_disk_size_bytes: size = 0, geckos3_disk_free_bytes: free = 0, geckos3_disk_free_inodes: inodes, geckos3_quarantined_versions: quarantined = 0 } = known.gauges;
  const share = size === 0 ? 1 : free / size;
  if (share < 0.1) add(share < 0.03 ? "error" : "warning", words.disk(Math.round(share * 100)));
  if (inodes !== undefined && inodes > 0 && inodes < 10_000) add("warning", words.inodes(number(inodes)));
  if (quarantined > 0) add("error", words.quarantine(number(quarantined)));
  for (const one of known.certificates) {
    if (one.days_left < 0) add("error", words.expired(one.subject));
    else if (one.days_left < 21) add("warning", words.certificate(one.subject, Math.floor(one.days_left)));
  }
  for (const job of known.jobs)
    // The last run has ended, and not well: what succeeded last began before it.
    if (job.runs > 0 && !job.running && job.last_begun !== null && (job.last_succeeded === null || job.last_succeeded < job.last_begun)) add("warning", words.job(job.name));
  return found;
}
