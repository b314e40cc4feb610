/**
 * Uploads that were begun and have not ended, by file: after the page was reloaded the same file goes on where it was.
 * What is kept names the upload and the file, and no secret.
 */

export interface Begun {
  readonly bucket: string;
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** When the file was changed last, in milliseconds since 1970: another file of the same name and size is another upload. */
  readonly modified: number;
  readonly uploadId: string;
  readonly partSize: number;
}

const PLACE = "geckos3.uploads";
const MOST = 200;

export function all(): readonly Begun[] {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "[]") as Begun[];
  } catch {
    return [];
  }
}

export function recall(bucket: string, key: string, file: File): Begun | undefined {
  return all().find((one) => one.bucket === bucket && one.key === key && one.size === file.size && one.modified === file.lastModified);
}

export function remember(begun: Begun): void {
  localStorage.setItem(PLACE, JSON.stringify([...all().slice(1 - MOST), begun]));
}

export function forget(begun: Begun): void {
  localStorage.setItem(PLACE, JSON.stringify(all().filter((one) => one.uploadId !== begun.uploadId)));
}
