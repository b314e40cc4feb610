/** The uploads under way, at the lower edge of every page. */
import { useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { bytes } from "../format";
import { Button, Icon, IconButton } from "../parts";
import { text } from "../strings";
import { uploads, type Upload } from "./uploads";

const SHOWN = 50;

export function UploadsPanel(): ReactNode {
  const list = useSyncExternalStore(uploads.subscribe, uploads.get);
  const [folded, setFolded] = useState(false);
  const busy = list.some((one) => one.state !== "done");
  useEffect(() => {
    if (!busy) return;
    const ask = (event: BeforeUnloadEvent): void => {
      event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => {
      removeEventListener("beforeunload", ask);
    };
  }, [busy]);
  if (list.length === 0) return null;
  const done = list.filter((one) => one.state === "done").length;
  // What is under way comes first.
  const shown = [...list].sort((one, other) => Number(one.state === "done") - Number(other.state === "done")).slice(0, SHOWN);
  return (
    <section className="panel uploads" aria-label={text.uploads.title}>
      <header>
        <h2>{text.uploads.title} <span className="muted">{done}/{list.length}</span></h2>
        <div className="row">
          {done > 0 && <Button kind="plain small" onClick={() => { uploads.clear(); }}>{text.uploads.clear}</Button>}
          <IconButton kind="plain small" label={folded ? text.uploads.unfold : text.uploads.fold} aria-expanded={!folded} icon={folded ? "up" : "down"} onClick={() => { setFolded(!folded); }} />
        </div>
      </header>
      {!folded && <ul>{shown.map((one) => <Line key={one.id} upload={one} />)}</ul>}
    </section>
  );
}

function state(one: Upload): string {
  switch (one.state) {
    case "waiting": return text.uploads.waiting;
    case "running": return one.failure !== undefined ? text.uploads.noConnection : text.uploads.running(bytes(one.sent), bytes(one.file.size), bytes(one.speed));
    case "paused": return one.failure === undefined ? text.uploads.paused : one.failure.sentence;
    case "finishing": return text.uploads.finishing;
    case "done": return text.uploads.done;
    case "failed": return `${text.uploads.failed}: ${one.failure?.sentence ?? ""}`;
  }
}

function Line({ upload }: { upload: Upload }): ReactNode {
  const { id, key, file } = upload;
  const name = key.split("/").pop() ?? key;
  const share = file.size === 0 ? (upload.state === "done" ? 100 : 0) : Math.min(100, (upload.sent / file.size) * 100);
  return (
    <li>
      <div className="row between">
        <span className="clip grow" title={`${upload.bucket}/${key}`}>{name}</span>
        {upload.state === "done" ? <span className="accent"><Icon name="check" /></span> : (
          <span className="row">
            {(upload.state === "running" || upload.state === "waiting") && <IconButton kind="plain small" icon="pause" label={text.uploads.pause(name)} onClick={() => { uploads.pause(id); }} />}
            {(upload.state === "paused" || upload.state === "failed") && <IconButton kind="plain small" icon={upload.state === "failed" ? "reload" : "play"} label={upload.state === "failed" ? text.uploads.retry(name) : text.uploads.resume(name)} onClick={() => { uploads.resume(id); }} />}
            <IconButton kind="plain small" icon="close" label={text.uploads.remove(name)} onClick={() => { void uploads.remove(id); }} />
          </span>
        )}
      </div>
      <div className="meter" role="progressbar" aria-label={text.uploads.progress(name)} aria-valuenow={Math.round(share)} aria-valuemin={0} aria-valuemax={100}><i style={{ width: `${String(share)}%` }} /></div>
      <div className="small muted">{state(upload)}{upload.resumed && upload.state !== "done" && ` · ${text.uploads.resumed}`}</div>
    </li>
  );
}
