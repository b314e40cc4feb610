/** The objects of a bucket: folders, search, selection, upload and deletion. */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { useCallback, useEffect, useMemo, useRef, useState, type DragEvent, type ReactNode } from "react";
import { failureOf, type Failure } from "../api/failure";
import { useAction } from "../api/load";
import { reportFailure, useSession } from "../api/state";
import { bytes, when } from "../format";
import { Button, Check, Dialog, Empty, Failed, Icon, IconButton, Input, Loading, Search } from "../parts";
import { VirtualTable } from "../parts/virtual";
import { go, href, useRoute } from "../router";
import { text } from "../strings";
import { Deleting } from "./deleting";
import { Details } from "./details";
import { chosen, dropped, type Given } from "./dropped";
import { idOf, leaf, listPage, type Entry, type Next } from "./listing";
import { Unfinished } from "./unfinished";
import { uploads } from "./uploads";

interface Listing {
  readonly entries: readonly Entry[];
  readonly next: Next | undefined;
  readonly loading: boolean;
  readonly failure: Failure | undefined;
  readonly more: () => void;
  readonly reload: () => void;
}

const NOTHING: readonly Entry[] = [];

/** A listing that grows by a page whenever `more` is called. */
function useListing(bucket: string, prefix: string, versions: boolean): Listing {
  const { s3 } = useSession();
  const [round, setRound] = useState(0);
  const wanted = `${bucket}\n${prefix}\n${String(versions)}`;
  const [state, setState] = useState<{ of: string; entries: readonly Entry[]; next: Next | undefined; loading: boolean; failure: Failure | undefined }>({ of: "", entries: NOTHING, next: undefined, loading: true, failure: undefined });
  const stop = useRef(new AbortController());
  const asking = useRef(false);
  const load = useCallback(
    async (after: Next | undefined, before: readonly Entry[], signal: AbortSignal) => {
      asking.current = true;
      try {
        const page = await listPage(s3, bucket, prefix, versions, after, signal);
        if (!signal.aborted) setState({ of: wanted, entries: after === undefined ? page.entries : [...before, ...page.entries], next: page.next, loading: false, failure: undefined });
      } catch (error) {
        if (signal.aborted) return;
        const failure = failureOf(error);
        reportFailure(failure);
        setState((old) => ({ ...old, of: wanted, entries: old.of === wanted ? old.entries : NOTHING, loading: false, failure }));
      } finally {
        if (!signal.aborted) asking.current = false;
      }
    },
    [s3, bucket, prefix, versions, wanted],
  );
  useEffect(() => {
    const mine = new AbortController();
    stop.current = mine;
    const timer = setTimeout(() => void load(undefined, NOTHING, mine.signal), 0);
    return () => {
      clearTimeout(timer);
      mine.abort();
    };
  }, [load, round]);
  const fresh = state.of === wanted;
  const more = useCallback(() => {
    if (state.of !== wanted || state.next === undefined || asking.current || state.failure !== undefined) return;
    void load(state.next, state.entries, stop.current.signal);
  }, [state, load, wanted]);
  const reload = useCallback(() => {
    setRound((number) => number + 1);
  }, []);
  return { entries: fresh ? state.entries : NOTHING, next: fresh ? state.next : undefined, loading: !fresh || state.loading, failure: fresh ? state.failure : undefined, more, reload };
}

type Column = "name" | "size" | "modified";

function inOrder(entries: readonly Entry[], by: Column, descending: boolean, whole: boolean): readonly Entry[] {
  // A long list that is still coming stays as the server orders it, or its rows would move about.
  if (by === "name" && !descending && !whole) return entries;
  const value = (one: Entry): string | number => (by === "name" ? one.key : by === "size" ? one.size : one.modified);
  const sign = descending ? -1 : 1;
  return [...entries].sort((one, other) => {
    // Folders stay above.
    if ((one.kind === "folder") !== (other.kind === "folder")) return one.kind === "folder" ? -1 : 1;
    return value(one) < value(other) ? -sign : value(one) > value(other) ? sign : 0;
  });
}

export function Browser({ bucket }: { bucket: string }): ReactNode {
  const { query } = useRoute();
  const folder = query.get("prefix") ?? "";
  const [typed, setTyped] = useState("");
  const [versions, setVersions] = useState(false);
  const [sorted, setSorted] = useState<{ by: Column; descending: boolean }>({ by: "name", descending: false });
  const [selected, setSelected] = useState<ReadonlyMap<string, Entry>>(new Map());
  const [asked, setAsked] = useState<"delete" | "folder">();
  const [over, setOver] = useState(false);
  const prefix = folder + useSlowly(typed);
  const listing = useListing(bucket, prefix, versions);
  const { reload, entries: all } = listing;
  const entries = useMemo(() => inOrder(all.filter((one) => one.key !== folder || one.kind === "folder"), sorted.by, sorted.descending, all.length <= 1000 && listing.next === undefined), [all, folder, sorted, listing.next]);
  const [place, setPlace] = useState(folder);
  if (place !== folder) {
    setPlace(folder);
    setTyped("");
    setSelected(new Map());
  }
  useUploaded(bucket, reload);
  const opened = query.get("key");

  const add = (given: readonly Given[]): void => {
    uploads.add(bucket, given.map(({ path, file }) => ({ key: folder + path, file })));
  };
  const toggle = (entry: Entry): void => {
    const next = new Map(selected);
    if (!next.delete(idOf(entry))) next.set(idOf(entry), entry);
    setSelected(next);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void dropped(event.dataTransfer).then(add);
  };
  const chosenAll = entries.length > 0 && selected.size === entries.length;
  const sort = (by: Column): void => { setSorted({ by, descending: sorted.by === by && !sorted.descending }); };
  const head = (by: Column, label: string, className: string): ReactNode => (
    <div role="columnheader" className={className} aria-sort={sorted.by !== by ? undefined : sorted.descending ? "descending" : "ascending"}>
      <button type="button" className="sort" onClick={() => { sort(by); }}>{label}{sorted.by === by && <Icon name={sorted.descending ? "down" : "up"} size={14} />}</button>
    </div>
  );
  return (
    <div
      className={`stack browser ${over ? "over" : ""}`}
      onDragOver={(event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); setOver(true); } }}
      onDragLeave={(event) => { if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false); }}
      onDrop={drop}
    >
      <Crumbs bucket={bucket} folder={folder} />
      <div className="row between">
        <Search label={text.objects.search} value={typed} onChange={setTyped} />
        <div className="row">
          <Check label={text.objects.versions} checked={versions} onChange={(event) => { setVersions(event.target.checked); setSelected(new Map()); }} />
          <IconButton label={text.reload} icon="reload" onClick={reload} />
          <Button icon="folder" onClick={() => { setAsked("folder"); }}>{text.objects.newFolder}</Button>
          <Chooser folder label={text.objects.uploadFolder} onFiles={add} />
          <Chooser label={text.objects.uploadFiles} onFiles={add} />
        </div>
      </div>
      <Unfinished bucket={bucket} />
      <Failed failure={listing.failure} retry={reload} />
      {entries.length === 0 && listing.loading && <Loading />}
      {entries.length === 0 && !listing.loading && listing.failure === undefined && (
        <div className="panel dropzone">
          {typed !== "" ? <Empty icon="search" title={text.objects.nothing(typed)} /> : <Empty icon="upload" title={text.objects.emptyTitle}><p className="muted">{text.objects.empty}</p></Empty>}
        </div>
      )}
      {entries.length > 0 && (
        <>
          <div className="row between bar">
            {selected.size === 0 ? <span className="muted">{text.objects.count(entries.length, listing.next !== undefined)}{sorted.by !== "name" && listing.next !== undefined && ` · ${text.objects.sortedPart}`}</span> : (
              <div className="row">
                <strong>{text.objects.selected(selected.size)}</strong>
                <Button kind="danger small" icon="trash" onClick={() => { setAsked("delete"); }}>{text.objects.deleteSelected}</Button>
                <Button kind="plain small" onClick={() => { setSelected(new Map()); }}>{text.objects.clear}</Button>
              </div>
            )}
          </div>
          <VirtualTable
            label={text.objects.tab}
            count={entries.length}
            onEnd={listing.more}
            selected={(index) => { const entry = entries[index]; return entry !== undefined && selected.has(idOf(entry)); }}
            head={
              <>
                <div role="columnheader" className="cell tick"><input type="checkbox" aria-label={text.objects.selectAll} checked={chosenAll} onChange={() => { setSelected(chosenAll ? new Map() : new Map(entries.map((one) => [idOf(one), one]))); }} /></div>
                {head("name", text.objects.name, "cell grow")}
                {head("size", text.objects.size, "cell size")}
                {head("modified", text.objects.modified, "cell time")}
              </>
            }
            row={(index) => {
              const entry = entries[index];
              return entry !== undefined && <Cells bucket={bucket} entry={entry} folder={folder} chosen={selected.has(idOf(entry))} onToggle={toggle} />;
            }}
          />
        </>
      )}
      {over && <div className="veil" aria-hidden="true"><Icon name="upload" size={32} />{text.objects.drop}</div>}
      {asked === "folder" && <NewFolder bucket={bucket} folder={folder} onClose={() => { setAsked(undefined); }} onMade={reload} />}
      {asked === "delete" && <Deleting bucket={bucket} entries={[...selected.values()]} onClose={(changed) => { setAsked(undefined); if (changed) { setSelected(new Map()); reload(); } }} />}
      {opened !== null && <Details bucket={bucket} name={opened} version={query.get("version") ?? undefined} onClose={() => { go(["buckets", bucket], { prefix: folder }); }} onChanged={reload} />}
    </div>
  );
}

function Cells({ bucket, entry, folder, chosen: ticked, onToggle }: { bucket: string; entry: Entry; folder: string; chosen: boolean; onToggle: (entry: Entry) => void }): ReactNode {
  const name = leaf(entry.key, folder);
  const target = entry.kind === "folder" ? href(["buckets", bucket], { prefix: entry.key }) : href(["buckets", bucket], { prefix: folder, key: entry.key, version: entry.version });
  return (
    <>
      <div role="gridcell" className="cell tick"><input type="checkbox" aria-label={text.objects.select(name)} checked={ticked} onChange={() => { onToggle(entry); }} /></div>
      <div role="gridcell" className="cell grow">
        <Icon name={entry.kind === "folder" ? "folder" : "file"} />
        {entry.kind === "marker" ? <span className="clip muted">{name}</span> : <a className="clip" href={target} title={name}>{name}</a>}
        {entry.kind === "marker" && <span className="badge warning">{text.objects.marker}</span>}
        {entry.kind === "object" && entry.latest === false && <span className="badge">{text.objects.old}</span>}
        {entry.kind === "object" && entry.latest === true && <span className="badge good">{text.objects.latest}</span>}
      </div>
      <div role="gridcell" className="cell size">{entry.kind === "object" ? bytes(entry.size) : ""}</div>
      <div role="gridcell" className="cell time">{entry.kind === "folder" ? "" : when(entry.modified)}</div>
    </>
  );
}

function Crumbs({ bucket, folder }: { bucket: string; folder: string }): ReactNode {
  const pieces = folder.split("/").slice(0, -1);
  return (
    <nav aria-label={text.objects.path}>
      <ol className="crumbs">
        <li><a href={href(["buckets", bucket])} aria-current={folder === "" ? "page" : undefined}>{bucket}</a></li>
        {pieces.map((name, index) => {
          const prefix = `${pieces.slice(0, index + 1).join("/")}/`;
          return <li key={prefix}><span aria-hidden="true">/</span><a href={href(["buckets", bucket], { prefix })} aria-current={prefix === folder ? "page" : undefined}>{name === "" ? "(…)" : name}</a></li>;
        })}
      </ol>
    </nav>
  );
}

function Chooser({ label, folder = false, onFiles }: { label: string; folder?: boolean; onFiles: (files: readonly Given[]) => void }): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input ref={input} type="file" multiple hidden aria-label={label} {...(folder ? { webkitdirectory: "" } : {})} onChange={(event) => { if (event.target.files !== null) onFiles(chosen(event.target.files)); event.target.value = ""; }} />
      <Button kind={folder ? "" : "main"} icon="upload" onClick={() => { input.current?.click(); }}>{label}</Button>
    </>
  );
}

function NewFolder({ bucket, folder, onClose, onMade }: { bucket: string; folder: string; onClose: () => void; onMade: () => void }): ReactNode {
  const { s3 } = useSession();
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState<string>();
  const { busy, failure, run } = useAction();
  const make = async (): Promise<void> => {
    if (name === "" || name.includes("/")) { setWrong(text.objects.folderWrong); return; }
    if (await run(async () => { await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${folder}${name}/`, Body: "" })); })) { onMade(); onClose(); }
  };
  return (
    <Dialog title={text.objects.newFolder} onClose={onClose} onSubmit={() => { void make(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{text.create}</Button></>}>
      <Input label={text.objects.folderName} help={text.objects.folderHelp} value={name} wrong={wrong} autoFocus onChange={(event) => { setName(event.target.value); setWrong(undefined); }} />
      <Failed failure={failure} />
    </Dialog>
  );
}

/** What was typed, once nothing more is typed for a moment. */
function useSlowly(value: string): string {
  const [slow, setSlow] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => { setSlow(value); }, value === "" ? 0 : 250);
    return () => { clearTimeout(timer); };
  }, [value]);
  return value === "" ? "" : slow;
}

/** Lists again when an upload into the bucket has ended. */
function useUploaded(bucket: string, reload: () => void): void {
  useEffect(() => {
    const done = (): number => uploads.get().filter((one) => one.bucket === bucket && one.state === "done").length;
    let before = done();
    return uploads.subscribe(() => {
      const now = done();
      if (now > before) reload();
      before = now;
    });
  }, [bucket, reload]);
}
