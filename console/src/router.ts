/** Pages are named by the hash of the address: so the console works below any path, and no server need know its pages. */
import { useSyncExternalStore } from "react";

export interface Route {
  /** Decoded pieces of the path: `#/buckets/photos?tab=policy` has `["buckets", "photos"]`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function parse(hash: string): Route {
  const text = hash.replace(/^#?\/?/, "");
  const at = text.indexOf("?");
  const path = (at < 0 ? text : text.slice(0, at)).split("/").filter((piece) => piece !== "").map(decoded);
  return { path, query: new URLSearchParams(at < 0 ? "" : text.slice(at + 1)) };
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}

/** The address of a page; members of the query that are undefined or empty are left out. */
export function href(path: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined && one[1] !== "");
  const search = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

export function go(path: readonly string[], query?: Readonly<Record<string, string | undefined>>): void {
  location.hash = href(path, query);
}

let known = { hash: "", route: parse("") };

function current(): Route {
  if (known.hash !== location.hash) known = { hash: location.hash, route: parse(location.hash) };
  return known.route;
}

function subscribe(told: () => void): () => void {
  addEventListener("hashchange", told);
  return () => {
    removeEventListener("hashchange", told);
  };
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}
