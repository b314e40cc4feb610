/** What all pages share: the session, whether it has ended, and what is told at the lower edge. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Failure } from "./failure";
import type { Session } from "./session";

export interface Toast {
  readonly id: number;
  readonly kind: "good" | "error" | "info";
  readonly text: string;
}

class Cell<T> {
  readonly #told = new Set<() => void>();
  constructor(private value: T) {}
  readonly get = (): T => this.value;
  set(value: T): void {
    this.value = value;
    for (const tell of this.#told) tell();
  }
  readonly subscribe = (tell: () => void): (() => void) => {
    this.#told.add(tell);
    return () => this.#told.delete(tell);
  };
}

const ended = new Cell<Failure | null>(null);
const toasts = new Cell<readonly Toast[]>([]);
let count = 0;

/** Told of each failure: a session that has ended is asked for anew above the page, which keeps all that was typed. */
export function reportFailure(failure: Failure): void {
  if (failure.kind === "session") ended.set(failure);
}

export function renewed(): void {
  ended.set(null);
}

export function useEnded(): Failure | null {
  return useSyncExternalStore(ended.subscribe, ended.get);
}

/** Tells something for a few seconds; a screen reader reads it. */
export function tell(text: string, kind: Toast["kind"] = "good"): void {
  const toast = { id: ++count, kind, text };
  toasts.set([...toasts.get().slice(-2), toast]);
  setTimeout(() => {
    dismiss(toast.id);
  }, kind === "error" ? 12000 : 5000);
}

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((one) => one.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(toasts.subscribe, toasts.get);
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("a page is shown without a session");
  return session;
}
