/** Where events go, what waits there, what went wrong last, and a test event. */
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { number, when } from "../format";
import { Button, Dialog, Empty, Failed, IconButton, Input, Loading, Page } from "../parts";
import { text } from "../strings";

const words = text.events;

interface Destination {
  readonly target: string;
  readonly host: string | null;
  readonly delivers: boolean;
  readonly waiting: number;
  readonly waiting_more: boolean;
  readonly oldest: string | null;
  readonly last_error: { readonly at: string; readonly message: string } | null;
}

export default function Events(): ReactNode {
  const { api } = useSession();
  const { data, failure, loading, reload } = useLoad(useCallback((signal) => api.get<Destination[]>("/events", {}, signal), [api]), 5);
  const [testing, setTesting] = useState<string>();
  return (
    <Page title={text.pages.events} lead={words.lead} actions={<IconButton label={text.reload} icon="reload" disabled={loading} onClick={reload} />}>
      <Failed failure={failure} retry={reload} />
      {data === undefined && failure === undefined && <Loading />}
      {data?.length === 0 && <div className="panel"><Empty icon="bell" title={words.emptyTitle}><p className="muted">{words.empty}</p></Empty></div>}
      {data !== undefined && data.length > 0 && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.pages.events}</caption>
            <thead><tr><th scope="col">{words.target}</th><th scope="col">{words.state}</th><th scope="col" className="number">{words.waiting}</th><th scope="col">{words.oldest}</th><th scope="col">{words.lastError}</th><th scope="col"><span className="hidden">{text.buckets.actions}</span></th></tr></thead>
            <tbody>
              {data.map((one) => (
                <tr key={one.target}>
                  <td><div className="name mono">{one.target}</div><div className="small muted">{one.host ?? (one.delivers ? "" : words.absentHelp)}</div></td>
                  <td><span className={`badge ${!one.delivers ? "error" : one.last_error === null ? "good" : "warning"}`}>{!one.delivers ? words.absent : one.last_error === null ? words.works : words.stuck}</span></td>
                  <td className="number">{one.waiting_more ? words.moreThan(number(one.waiting)) : number(one.waiting)}</td>
                  <td className="muted">{when(one.oldest)}</td>
                  <td>{one.last_error === null ? <span className="muted">{words.noError}</span> : <><div>{one.last_error.message}</div><div className="small muted">{when(one.last_error.at)}</div></>}</td>
                  <td className="number"><Button kind="small" disabled={!one.delivers} aria-label={words.testOf(one.target)} onClick={() => { setTesting(one.target); }}>{words.test}</Button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {testing !== undefined && <Test target={testing} onClose={() => { setTesting(undefined); }} onSent={reload} />}
    </Page>
  );
}

function Test({ target, onClose, onSent }: { target: string; onClose: () => void; onSent: () => void }): ReactNode {
  const { api } = useSession();
  const [bucket, setBucket] = useState("");
  const { busy, failure, run } = useAction();
  const wrong = bucket.length > 63 ? words.wrongBucket : failure?.field === "body.bucket" ? failure.message : undefined;
  const send = async (): Promise<void> => {
    if (bucket.length > 63) return;
    const done = await run(async () => { await api.ask("POST", "/events/test", { body: { target, ...(bucket !== "" && { bucket }) } }); });
    if (!done) return;
    tell(words.sent);
    onSent();
    onClose();
  };
  return (
    <Dialog title={words.test} onClose={onClose} onSubmit={() => { void send(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{words.test}</Button></>}>
      <p className="mono small">{target}</p>
      <Input label={`${words.bucket} (${text.optional})`} help={words.bucketHelp} value={bucket} wrong={wrong} spellCheck={false} autoFocus onChange={(event) => { setBucket(event.target.value.trim()); }} />
      {wrong === undefined && <Failed failure={failure} />}
    </Dialog>
  );
}
