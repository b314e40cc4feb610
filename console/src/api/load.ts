/** What a page shows is asked for when it is opened, and again when something changed, or every few seconds. */
import { useCallback, useEffect, useRef, useState } from "react";
import { failureOf, type Failure } from "./failure";
import { reportFailure } from "./state";

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly failure: Failure | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * @param ask gives the values; must be kept by useCallback, and is asked anew when it changes.
 * @param every seconds after which it is asked again while the page is visible; 0 for never.
 */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, every = 0): Loaded<T> {
  const [state, setState] = useState<{ ask: unknown; data?: T; failure?: Failure; loading: boolean }>({ ask, loading: true });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => {
    setRound((number) => number + 1);
  }, []);
  const latest = useRef(ask);
  useEffect(() => {
    const stop = new AbortController();
    const changed = latest.current !== ask;
    latest.current = ask;
    setState((old) => (changed ? { ask, loading: true } : { ...old, ask, loading: true }));
    ask(stop.signal).then(
      (data) => {
        if (!stop.signal.aborted) setState({ ask, data, loading: false });
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const failure = failureOf(error);
        reportFailure(failure);
        setState((old) => ({ ...old, failure, loading: false }));
      },
    );
    return () => {
      stop.abort();
    };
  }, [ask, round]);
  useEffect(() => {
    if (every === 0) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") reload();
    }, every * 1000);
    return () => {
      clearInterval(timer);
    };
  }, [every, reload]);
  const fresh = state.ask === ask;
  return { data: fresh ? state.data : undefined, failure: fresh ? state.failure : undefined, loading: !fresh || state.loading, reload };
}

/** Something that a button starts: whether it is under way, and what became of it. Typed text stays where it is. */
export function useAction(): { busy: boolean; failure: Failure | undefined; run: (act: () => Promise<void>) => Promise<boolean>; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const run = useCallback(async (act: () => Promise<void>) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await act();
      return true;
    } catch (error) {
      const found = failureOf(error);
      reportFailure(found);
      setFailure(found);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => {
    setFailure(undefined);
  }, []);
  return { busy, failure, run, clear };
}
