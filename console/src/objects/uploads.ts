/** Uploads go on while pages change: they are kept here, and a panel of the shell shows them. */
import { AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, ListPartsCommand } from "@aws-sdk/client-s3";
import { failureOf, type Failure } from "../api/failure";
import { put } from "../api/put";
import type { Session } from "../api/session";
import { reportFailure } from "../api/state";
import { partSize, sizeOf, SMALL } from "./parts";
import { forget, recall, remember, type Begun } from "./begun";

const FILES_AT_ONCE = 2;
const PARTS_AT_ONCE = 3;
const LONGEST_WAIT = 30_000;

export type State = "waiting" | "running" | "paused" | "finishing" | "done" | "failed";

export interface Upload {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
  readonly file: File;
  readonly state: State;
  /** Bytes that the server has, or that are on their way to it. */
  readonly sent: number;
  /** Bytes a second, of the last seconds. */
  readonly speed: number;
  /** Why nothing moves at the moment, or why it failed. */
  readonly failure: Failure | undefined;
  readonly resumed: boolean;
}

interface Running {
  stop: AbortController;
  /** Bytes of requests under way, by part. */
  moving: Map<number, number>;
  done: number;
  samples: [number, number][];
}

export class Uploads {
  #all: readonly Upload[] = [];
  readonly #running = new Map<number, Running>();
  readonly #told = new Set<() => void>();
  #session: Session | undefined;
  #count = 0;
  #ticking: ReturnType<typeof setInterval> | undefined;

  readonly get = (): readonly Upload[] => this.#all;
  readonly subscribe = (tell: () => void): (() => void) => {
    this.#told.add(tell);
    return () => this.#told.delete(tell);
  };

  /** Told who is signed in: what waited for that goes on. Without anybody all stops. */
  use(session: Session | undefined): void {
    this.#session = session;
    if (session === undefined) {
      for (const one of this.#running.values()) one.stop.abort();
      this.#set([]);
      return;
    }
    for (const one of this.#all) if (one.state === "paused" && one.failure?.kind === "session") this.resume(one.id);
  }

  add(bucket: string, files: readonly { readonly key: string; readonly file: File }[]): void {
    const added = files.map(({ key, file }): Upload => ({ id: ++this.#count, bucket, key, file, state: "waiting", sent: 0, speed: 0, failure: undefined, resumed: false }));
    this.#set([...this.#all, ...added]);
    this.#next();
  }

  pause(id: number): void {
    this.#change(id, { state: "paused", speed: 0, failure: undefined });
    this.#running.get(id)?.stop.abort();
    this.#next();
  }

  resume(id: number): void {
    this.#change(id, { state: "waiting", failure: undefined });
    this.#next();
  }

  /** Takes an upload off the list; what the server has of an unfinished one is dropped. */
  async remove(id: number): Promise<void> {
    const one = this.#all.find((upload) => upload.id === id);
    this.#running.get(id)?.stop.abort();
    this.#set(this.#all.filter((upload) => upload.id !== id));
    this.#next();
    if (one === undefined || one.state === "done" || this.#session === undefined) return;
    const begun = recall(one.bucket, one.key, one.file);
    if (begun === undefined) return;
    forget(begun);
    await this.#session.s3.send(new AbortMultipartUploadCommand({ Bucket: one.bucket, Key: one.key, UploadId: begun.uploadId })).catch((error: unknown) => {
      reportFailure(failureOf(error));
    });
  }

  clear(): void {
    this.#set(this.#all.filter((one) => one.state !== "done"));
  }

  get busy(): boolean {
    return this.#all.some((one) => one.state === "running" || one.state === "waiting" || one.state === "finishing");
  }

  #set(all: readonly Upload[]): void {
    this.#all = all;
    for (const tell of this.#told) tell();
  }

  #change(id: number, change: Partial<Upload>): void {
    this.#set(this.#all.map((one) => (one.id === id ? { ...one, ...change } : one)));
  }

  #next(): void {
    const session = this.#session;
    if (session === undefined) return;
    for (const one of this.#all) {
      if (this.#running.size >= FILES_AT_ONCE) break;
      if (one.state === "waiting" && !this.#running.has(one.id)) void this.#run(one, session);
    }
    if (this.#running.size > 0 && this.#ticking === undefined) this.#ticking = setInterval(() => { this.#tick(); }, 500);
  }

  #tick(): void {
    if (this.#running.size === 0) {
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    }
    const now = Date.now();
    for (const [id, one] of this.#running) {
      const sent = one.done + [...one.moving.values()].reduce((sum, bytes) => sum + bytes, 0);
      one.samples = [...one.samples.filter(([time]) => now - time < 4000), [now, sent]];
      const [then, before] = one.samples[0] ?? [now, sent];
      const speed = now > then ? Math.max(0, ((sent - before) * 1000) / (now - then)) : 0;
      this.#change(id, { sent, speed });
    }
  }

  async #run(one: Upload, session: Session): Promise<void> {
    const running: Running = { stop: new AbortController(), moving: new Map(), done: 0, samples: [] };
    this.#running.set(one.id, running);
    this.#change(one.id, { state: "running", failure: undefined });
    try {
      if (one.file.size <= SMALL) await this.#single(one, session, running);
      else await this.#parts(one, session, running);
      this.#change(one.id, { state: "done", sent: one.file.size, speed: 0, failure: undefined });
    } catch (error) {
      const failure = failureOf(error);
      reportFailure(failure);
      if (failure.kind === "session") this.#change(one.id, { state: "paused", speed: 0, failure });
      else if (failure.kind !== "stopped") this.#change(one.id, { state: "failed", speed: 0, failure });
    } finally {
      running.stop.abort();
      this.#running.delete(one.id);
      this.#next();
    }
  }

  async #single(one: Upload, session: Session, running: Running): Promise<void> {
    await this.#patiently(one, running, () => put(session, {
      bucket: one.bucket,
      key: one.key,
      body: one.file,
      headers: { "content-type": typeOf(one.file) },
      signal: running.stop.signal,
      onProgress: (sent) => running.moving.set(0, sent),
    }));
  }

  async #parts(one: Upload, session: Session, running: Running): Promise<void> {
    const { s3 } = session;
    const { bucket, key, file } = one;
    const signal = running.stop.signal;
    let begun = recall(bucket, key, file);
    const there = new Map<number, string>();
    if (begun !== undefined) {
      const known = begun;
      const found = await this.#patiently(one, running, () => partsOf(session, known, signal));
      if (found === undefined) {
        forget(begun);
        begun = undefined;
      } else {
        for (const [number, etag] of found) {
          there.set(number, etag);
          running.done += sizeOf(number, begun.partSize, file.size);
        }
        this.#change(one.id, { resumed: true, sent: running.done });
      }
    }
    if (begun === undefined) {
      const made = await this.#patiently(one, running, () => s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ContentType: typeOf(file) }), { abortSignal: signal }));
      begun = { bucket, key, name: file.name, size: file.size, modified: file.lastModified, uploadId: made.UploadId ?? "", partSize: partSize(file.size) };
      remember(begun);
    }
    const { uploadId, partSize: size } = begun;
    const missing = Array.from({ length: Math.ceil(file.size / size) }, (_, index) => index + 1).filter((number) => !there.has(number));
    const work = async (): Promise<void> => {
      for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
        const part = number;
        const body = file.slice((part - 1) * size, part * size);
        const etag = await this.#patiently(one, running, () => {
          running.moving.set(part, 0);
          return put(session, { bucket, key, body, query: { partNumber: String(part), uploadId }, signal, onProgress: (sent) => running.moving.set(part, sent) });
        });
        running.moving.delete(part);
        running.done += body.size;
        there.set(part, etag);
      }
    };
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, work));
    this.#change(one.id, { state: "finishing", sent: file.size, speed: 0 });
    const parts = [...there].sort(([first], [second]) => first - second).map(([PartNumber, ETag]) => ({ PartNumber, ETag }));
    await this.#patiently(one, running, () => s3.send(new CompleteMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } }), { abortSignal: signal }));
    forget(begun);
  }

  /** Tries again for as long as it takes while the server is busy or cannot be reached. */
  async #patiently<T>(one: Upload, running: Running, act: () => Promise<T>): Promise<T> {
    for (let wait = 1000; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      try {
        const value = await act();
        if (wait > 1000) this.#change(one.id, { failure: undefined });
        return value;
      } catch (error) {
        const failure = failureOf(error);
        if (failure.kind !== "offline" && failure.kind !== "busy") throw failure;
        this.#change(one.id, { failure });
        await pausing(wait, running.stop.signal);
      }
    }
  }
}

function pausing(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(failureOf(new DOMException("", "AbortError")));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
}

function typeOf(file: File): string {
  return file.type === "" ? "application/octet-stream" : file.type;
}

/** What the server has of an upload; undefined when it is not there any more. */
async function partsOf(session: Session, begun: Begun, signal: AbortSignal): Promise<Map<number, string> | undefined> {
  const found = new Map<number, string>();
  let marker: string | undefined;
  try {
    do {
      const answer = await session.s3.send(new ListPartsCommand({ Bucket: begun.bucket, Key: begun.key, UploadId: begun.uploadId, PartNumberMarker: marker }), { abortSignal: signal });
      for (const part of answer.Parts ?? [])
        if (part.Size === sizeOf(part.PartNumber ?? 0, begun.partSize, begun.size)) found.set(part.PartNumber ?? 0, part.ETag ?? "");
      marker = answer.IsTruncated === true ? answer.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
  } catch (error) {
    if (failureOf(error).kind === "missing") return undefined;
    throw error;
  }
  return found;
}

export const uploads = new Uploads();
