/** Requests of S3 as they come, by Server-Sent Events over fetch: EventSource cannot sign. */
import type { AdminClient } from "../api/admin";
import { failureOf, type Failure } from "../api/failure";
import { reportFailure } from "../api/state";

export interface Seen {
  readonly time: string;
  readonly seconds: number;
  readonly status: number;
  readonly received: number;
  readonly sent: number;
  readonly request_id: string;
  readonly method: string;
  readonly uri: string;
  readonly address: string;
  readonly operation: string;
  readonly bucket: string;
  readonly access_key: string;
  readonly auth: string;
  readonly error: string;
  readonly why: string;
}

export type Query = Readonly<Record<string, string>>;

/** Events of such a stream, out of pieces of text that end anywhere (HTML Living Standard, "Interpreting an event stream"). */
export class Events {
  #rest = "";

  /** The data of the events that are whole by now. */
  take(piece: string): string[] {
    const blocks = (this.#rest + piece).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map((block) => block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n")).filter((data) => data !== "");
  }
}

export interface Told {
  readonly onState: (state: "connecting" | "live" | "lost") => void;
  readonly onSeen: (seen: readonly Seen[]) => void;
  readonly onFailure: (failure: Failure) => void;
}

const LONGEST = 10_000;

/** Follows the stream until the signal comes; what breaks off is begun anew, ever more slowly. What no repetition mends is told, and ends it. */
export async function follow(api: AdminClient, query: Query, told: Told, signal: AbortSignal): Promise<void> {
  let pause = 500;
  const stopped = (): boolean => signal.aborted;
  while (!stopped()) {
    try {
      told.onState("connecting");
      const answer = await api.send("GET", "/requests/stream", { query, signal });
      const reader = answer.body?.getReader();
      if (reader === undefined) return;
      told.onState("live");
      // What came before the stream began, or while it was cut.
      told.onSeen(await api.get<Seen[]>("/requests", { ...query, limit: 200 }, signal));
      pause = 500;
      const events = new Events();
      const decoder = new TextDecoder();
      for (let one = await reader.read(); !one.done; one = await reader.read()) {
        const found = events.take(decoder.decode(one.value, { stream: true }));
        if (found.length > 0) told.onSeen(found.map((data) => JSON.parse(data) as Seen));
      }
    } catch (error) {
      if (stopped()) return;
      const failure = failureOf(error);
      reportFailure(failure);
      if (failure.kind !== "offline" && failure.kind !== "busy") {
        told.onFailure(failure);
        return;
      }
    }
    if (stopped()) return;
    told.onState("lost");
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST);
  }
}

const KEPT = 500;

/** Newest first, each once. */
export function joined(old: readonly Seen[], fresh: readonly Seen[]): readonly Seen[] {
  const known = new Set(old.map((one) => one.request_id));
  const added = fresh.filter((one) => !known.has(one.request_id));
  if (added.length === 0) return old;
  return [...added, ...old].sort((one, other) => (one.time < other.time ? 1 : one.time > other.time ? -1 : 0)).slice(0, KEPT);
}
