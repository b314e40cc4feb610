/** Whether bytes are still those that were stored: how scrubs stand, and what is in quarantine. */
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { bytes, duration, number, when } from "../format";
import { Button, Check, Confirm, Dialog, Empty, Failed, Input, Loading, Page } from "../parts";
import { Ready, Section } from "../bucket/section";
import { text } from "../strings";

const words = text.integrity;

interface Figures {
  readonly read: number;
  readonly bytes: number;
  readonly unknown: number;
  readonly damaged: number;
}

interface State {
  readonly interval_seconds: number;
  readonly running: boolean;
  readonly next: string | null;
  readonly last_ended: string | null;
  readonly totals: Figures;
  readonly under_way: (Figures & { readonly began: string }) | null;
}

interface Held {
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string;
  readonly size: number;
  readonly why: string;
  readonly since: string;
}

export default function Integrity(): ReactNode {
  const { api } = useSession();
  const state = useLoad(useCallback((signal) => api.get<State>("/integrity", {}, signal), [api]), 5);
  const held = useLoad(useCallback((signal) => api.get<Held[]>("/quarantine", {}, signal), [api]), 10);
  return (
    <Page title={text.pages.integrity} lead={words.lead}>
      <div className="panel"><Section title={words.state} help={words.startWhole}><Ready {...state}>{(found) => <Scrub found={found} reload={state.reload} />}</Ready></Section></div>
      <h2>{words.quarantine}</h2>
      <Failed failure={held.failure} retry={held.reload} />
      {held.data === undefined && held.failure === undefined && <Loading />}
      {held.data?.length === 0 && <div className="panel"><Empty icon="shield" title={words.none}><p className="muted">{words.noneHelp}</p></Empty></div>}
      {held.data !== undefined && held.data.length > 0 && <Quarantine held={held.data} reload={held.reload} />}
    </Page>
  );
}

function Scrub({ found, reload }: { found: State; reload: () => void }): ReactNode {
  const { api } = useSession();
  const { busy, failure, run } = useAction();
  const off = found.interval_seconds === 0;
  const counted = (figures: Figures): string => words.readValue(number(figures.read), bytes(figures.bytes));
  return (
    <>
      <dl className="facts">
        <dt>{text.events.state}</dt><dd><span className={`badge ${found.running ? "good" : ""}`}>{found.running ? words.running : words.resting}</span></dd>
        {found.under_way !== null && <><dt>{words.progress}</dt><dd>{counted(found.under_way)}</dd></>}
        <dt>{words.lastEnded}</dt><dd>{when(found.last_ended)}</dd>
        {!off && <><dt>{words.next}</dt><dd>{when(found.next)}</dd><dt>{words.interval}</dt><dd>{duration(found.interval_seconds)}</dd></>}
        <dt>{words.read}</dt><dd>{counted(found.totals)}</dd>
        <dt>{words.unknown}</dt><dd>{number(found.totals.unknown)}</dd>
        <dt>{words.damaged}</dt><dd>{found.totals.damaged > 0 ? <span className="badge error">{number(found.totals.damaged)}</span> : number(0)}</dd>
      </dl>
      <Failed failure={failure} />
      {off ? <p className="muted">{words.off}</p> : (
        <div>
          <Button kind="main" disabled={busy || found.running} onClick={() => {
            void run(async () => {
              await api.ask("POST", "/integrity/scrub");
              tell(words.started);
              reload();
            });
          }}>{words.start}</Button>
        </div>
      )}
    </>
  );
}

function Quarantine({ held, reload }: { held: readonly Held[]; reload: () => void }): ReactNode {
  const { api } = useSession();
  const [restoring, setRestoring] = useState<Held>();
  const [purging, setPurging] = useState<Held>();
  const [bypass, setBypass] = useState(false);
  const reading = useAction();
  const purge = useAction();
  const nameOf = (one: Held): string => `${one.bucket}/${one.key}`;
  const revalidate = (one: Held): void => {
    void reading.run(async () => {
      const { restored } = await api.ask<{ restored: boolean }>("POST", "/quarantine/revalidate", { body: place(one) });
      tell(restored ? words.whole : words.still, restored ? "good" : "error");
      reload();
    });
  };
  return (
    <>
      <Failed failure={reading.failure} />
      <div className="panel scroll">
        <table>
          <caption className="hidden">{words.quarantine}</caption>
          <thead><tr><th scope="col">{words.object}</th><th scope="col" className="number">{words.size}</th><th scope="col">{words.since}</th><th scope="col">{words.why}</th><th scope="col"><span className="hidden">{words.actions}</span></th></tr></thead>
          <tbody>
            {held.map((one) => (
              <tr key={`${nameOf(one)} ${one.version_id}`}>
                <td><div className="name breaks">{nameOf(one)}</div><div className="small muted mono">{words.version} {one.version_id}</div></td>
                <td className="number">{bytes(one.size)}</td>
                <td className="muted">{when(one.since)}</td>
                <td>{one.why}</td>
                <td>
                  <span className="row end nowrap">
                    <Button kind="small" disabled={reading.busy} aria-label={words.revalidateOf(nameOf(one))} onClick={() => { revalidate(one); }}>{words.revalidate}</Button>
                    <Button kind="small" aria-label={words.restoreOf(nameOf(one))} onClick={() => { setRestoring(one); }}>{words.restore}</Button>
                    <Button kind="small danger" aria-label={words.purgeOf(nameOf(one))} onClick={() => { setBypass(false); setPurging(one); }}>{words.purge}</Button>
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {restoring !== undefined && <Restore one={restoring} name={nameOf(restoring)} onClose={() => { setRestoring(undefined); }} onDone={reload} />}
      {purging !== undefined && (
        <Confirm title={words.purgeTitle(nameOf(purging))} action={words.purge} busy={purge.busy} failure={purge.failure} onClose={() => { setPurging(undefined); }} onConfirm={() => {
          void purge.run(async () => {
            await api.ask("POST", "/quarantine/purge", { body: { ...place(purging), bypass_governance: bypass } });
            setPurging(undefined);
            tell(words.purged);
            reload();
          });
        }}>
          <p>{words.purgeWarn}</p>
          <Check label={words.bypass} checked={bypass} onChange={(event) => { setBypass(event.target.checked); }} />
        </Confirm>
      )}
    </>
  );
}

const place = ({ bucket, key, version_id }: Held): object => ({ bucket, key, version_id });

function Restore({ one, name, onClose, onDone }: { one: Held; name: string; onClose: () => void; onDone: () => void }): ReactNode {
  const { api } = useSession();
  const [source, setSource] = useState("");
  const [tried, setTried] = useState(false);
  const { busy, failure, run, clear } = useAction();
  const wrong = source.trim() === "" ? (tried ? words.wrongSource : undefined) : failure?.kind === "missing" || failure?.field === "body.source" ? failure.message : undefined;
  const restore = async (): Promise<void> => {
    setTried(true);
    if (source.trim() === "") return;
    const done = await run(async () => { await api.ask("POST", "/quarantine/restore", { body: { ...place(one), source: source.trim() } }); });
    if (!done) return;
    tell(words.restored);
    onDone();
    onClose();
  };
  return (
    <Dialog title={words.restoreTitle(name)} onClose={onClose} onSubmit={() => { void restore(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{words.restore}</Button></>}>
      <p>{words.restoreHelp}</p>
      <Input label={words.source} value={source} wrong={wrong} className="mono" spellCheck={false} autoFocus onChange={(event) => { setSource(event.target.value); clear(); }} />
      {wrong === undefined && <Failed failure={failure} />}
      <p className="small muted">{words.file} <code>geckos3 quarantine restore --version-id {one.version_id} --from FILE {one.bucket} {JSON.stringify(one.key)}</code></p>
    </Dialog>
  );
}
