/** Requests of S3 as they come, with filters; refused signatures with what differed and what to do. */
import { useEffect, useState, type ReactNode } from "react";
import type { Failure } from "../api/failure";
import { useSession } from "../api/state";
import { bytes } from "../format";
import { Button, Choice, Dialog, Empty, Failed, Input, Loading, Notice, Page } from "../parts";
import { follow, joined, type Query, type Seen } from "../operating/stream";
import { codeOf, hintsOf } from "../operating/why";
import { text } from "../strings";

const words = text.requests;
const FIELDS = { operation: words.operation, bucket: words.bucket, access_key: words.key, address: words.address } as const;
const NOTHING = { method: "", operation: "", bucket: "", access_key: "", address: "", status: "", show: "" };
const SHOWS: Readonly<Record<string, Query>> = { failed: { failed: "true" }, refused: { refused: "true" }, good: { failed: "false" } };
const METHODS: readonly (readonly [string, string])[] = [["", words.any], ...["GET", "PUT", "POST", "HEAD", "DELETE"].map((one) => [one, one] as const)];

/** The filters as the API takes them; undefined while one of them is wrong. */
function queryOf(filters: typeof NOTHING): Query | undefined {
  if (filters.status !== "" && !/^[1-5]\d\d$/.test(filters.status)) return undefined;
  const { show, ...others } = filters;
  return { ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "")), ...SHOWS[show] };
}

export default function Requests(): ReactNode {
  const { api } = useSession();
  const [filters, setFilters] = useState(NOTHING);
  const [query, setQuery] = useState<Query>({});
  const [running, setRunning] = useState(true);
  const [state, setState] = useState<"connecting" | "live" | "lost">("connecting");
  const [failure, setFailure] = useState<Failure>();
  const [round, setRound] = useState(0);
  const [seen, setSeen] = useState<readonly Seen[]>();
  const [chosen, setChosen] = useState<Seen>();
  const wanted = queryOf(filters);
  const key = JSON.stringify(wanted);
  useEffect(() => {
    // While somebody types, nothing is asked.
    if (wanted === undefined) return;
    const timer = setTimeout(() => { setQuery(wanted); }, 300);
    return () => { clearTimeout(timer); };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says all of the filters
  }, [key]);
  const asked = JSON.stringify(query);
  useEffect(() => {
    if (!running) return;
    const stop = new AbortController();
    let fresh = true;
    void follow(api, JSON.parse(asked) as Query, {
      onState: (now) => { if (!stop.signal.aborted) setState(now); },
      onFailure: (problem) => { if (!stop.signal.aborted) setFailure(problem); },
      onSeen: (found) => {
        if (stop.signal.aborted) return;
        setFailure(undefined);
        const first = fresh;
        fresh = false;
        setSeen((old) => joined(first ? [] : old ?? [], found));
      },
    }, stop.signal);
    return () => { stop.abort(); };
  }, [api, asked, running, round]);
  const change = (name: keyof typeof NOTHING, value: string): void => { setFilters({ ...filters, [name]: value }); };
  const filtered = Object.values(filters).some((value) => value !== "");
  const says = !running ? words.stopped : state === "live" ? words.live : state === "lost" ? words.lost : words.connecting;
  return (
    <Page title={text.pages.requests} lead={words.lead} actions={
      <>
        <span role="status" className={`badge ${running && state === "live" ? "good" : running && state === "lost" ? "error" : ""}`}>{says}</span>
        <Button icon={running ? "pause" : "play"} onClick={() => { setRunning(!running); }}>{running ? words.pause : words.resume}</Button>
        <Button onClick={() => { setSeen([]); }}>{words.clear}</Button>
      </>
    }>
      <div className="panel padded filters" role="group" aria-label={words.filters}>
        <Choice label={words.show} value={filters.show} options={Object.entries(words.shows)} onChange={(event) => { change("show", event.target.value); }} />
        <Choice label={words.method} value={filters.method} options={METHODS} onChange={(event) => { change("method", event.target.value); }} />
        {(Object.keys(FIELDS) as (keyof typeof FIELDS)[]).map((name) => <Input key={name} label={FIELDS[name]} value={filters[name]} maxLength={63} spellCheck={false} onChange={(event) => { change(name, event.target.value); }} />)}
        <Input label={words.status} value={filters.status} inputMode="numeric" maxLength={3} wrong={filters.status.length === 3 && wanted === undefined ? words.wrongStatus : undefined} onChange={(event) => { change("status", event.target.value); }} />
      </div>
      <Failed failure={failure} retry={() => { setFailure(undefined); setRound(round + 1); }} />
      {seen === undefined && failure === undefined && <Loading />}
      {seen?.length === 0 && <div className="panel"><Empty icon="list" title={words.emptyTitle}><p className="muted">{filtered ? words.none : words.empty}</p></Empty></div>}
      {seen !== undefined && seen.length > 0 && <Table seen={seen} onChoose={setChosen} />}
      {chosen !== undefined && <Details seen={chosen} onClose={() => { setChosen(undefined); }} />}
    </Page>
  );
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function Table({ seen, onChoose }: { seen: readonly Seen[]; onChoose: (seen: Seen) => void }): ReactNode {
  return (
    <div className="panel scroll">
      <table className="dense">
        <caption className="hidden">{text.pages.requests}</caption>
        <thead><tr><th scope="col">{words.time}</th><th scope="col">{words.status}</th><th scope="col">{words.request}</th><th scope="col" className="number">{words.took}</th><th scope="col">{words.client}</th></tr></thead>
        <tbody>
          {seen.map((one) => (
            <tr key={one.request_id}>
              <td className="muted">{clock.format(new Date(one.time))}</td>
              <td><span className={`badge ${one.status >= 500 ? "error" : one.status >= 400 ? "warning" : "good"}`}>{one.status}</span></td>
              <td className="long">
                <button type="button" className="link" onClick={() => { onChoose(one); }}><span className="hidden">{words.details(one.request_id)}: </span>{one.operation || one.method}</button>
                <div className="small muted mono clip" title={one.uri}>{one.method} {one.uri}</div>
                {(one.why !== "" || one.error !== "") && <div className="small error-text">{one.error}{one.why !== "" && `: ${one.why}`}</div>}
              </td>
              <td className="number muted">{words.ms((one.seconds * 1000).toFixed(one.seconds < 0.01 ? 1 : 0))}</td>
              <td><div className="mono small">{one.access_key || (isRefused(one) ? words.unproven : words.anonymous)}</div><div className="small muted">{one.address}</div></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const PROOF = new Set(["SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidToken"]);

function isRefused(seen: Seen): boolean {
  return seen.why !== "" || PROOF.has(codeOf(seen.error));
}

function Details({ seen, onClose }: { seen: Seen; onClose: () => void }): ReactNode {
  const facts: [string, ReactNode][] = [
    [words.time, seen.time], [words.status, seen.status], [words.request, <code key="uri">{seen.method} {seen.uri}</code>], [words.took, words.ms((seen.seconds * 1000).toFixed(1))],
    [words.client, seen.address], [words.key, seen.access_key || (isRefused(seen) ? words.unproven : words.anonymous)], [words.auth, seen.auth || "–"], [words.received, bytes(seen.received)], [words.sent, bytes(seen.sent)], [words.error, seen.error || "–"], [words.id, <code key="id">{seen.request_id}</code>],
  ];
  return (
    <Dialog title={seen.operation || seen.method} wide onClose={onClose} footer={<Button onClick={onClose}>{text.close}</Button>}>
      {isRefused(seen) && (
        <Notice kind="warning" live={false}>
          {seen.why !== "" && <><strong>{words.why}</strong><ul className="bullets more">{seen.why.split("; ").map((line) => <li key={line}>{line}</li>)}</ul></>}
          <strong>{words.hints.title}</strong>
          {hintsOf(seen.error, seen.why).map((hint) => <p key={hint} className="more">{words.hints[hint]}</p>)}
        </Notice>
      )}
      <dl className="facts">{facts.map(([name, value]) => <div className="both" key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </Dialog>
  );
}
