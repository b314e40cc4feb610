import { useCallback, useEffect, useState, type ReactNode } from "react";
import { failureOf, type Failure } from "../api/failure";
import { useLoad } from "../api/load";
import { base } from "../api/place";
import { useSession } from "../api/state";
import { look, rate, type Look, type Rate } from "../dashboard/metrics";
import { warnings, type Known } from "../dashboard/warnings";
import { bytes, duration, number, when } from "../format";
import { Failed, Icon, Loading, Meter, Notice, Page } from "../parts";
import { Line } from "../parts/chart";
import { href } from "../router";
import { text } from "../strings";
import { listBuckets } from "./buckets";

const EVERY = 3;
/** Looks that are kept: ten minutes. */
const MOST = (10 * 60) / EVERY;
const words = text.dashboard;

interface Server {
  readonly version: string;
  readonly started: string;
  readonly uptime_seconds: number;
  readonly workers: number;
  readonly data_dir: string;
  readonly default_keys: boolean;
  readonly listeners: readonly { readonly place: string; readonly site: string; readonly secure: boolean }[];
}

// What was seen is kept while other pages are open.
let last: Look | undefined;
let seen: readonly Rate[] = [];

function useRates(): { rates: readonly Rate[]; now: Look | undefined; failure: Failure | undefined } {
  const [, setRound] = useState(0);
  const [failure, setFailure] = useState<Failure>();
  useEffect(() => {
    const stop = new AbortController();
    const ask = async (): Promise<void> => {
      if (document.visibilityState !== "visible") return;
      try {
        const answer = await fetch(`${base}metrics`, { signal: stop.signal, cache: "no-store" });
        if (!answer.ok) return;
        const next = look(await answer.text(), Date.now());
        const found = last === undefined ? undefined : rate(last, next);
        last = next;
        if (found !== undefined) seen = [...seen.slice(1 - MOST), found];
        setFailure(undefined);
      } catch (error) {
        if (!stop.signal.aborted) setFailure(failureOf(error));
      }
      setRound((round) => round + 1);
    };
    void ask();
    // The first figures need two looks.
    const soon = setTimeout(() => void ask(), 1000);
    const timer = setInterval(() => void ask(), EVERY * 1000);
    return () => {
      stop.abort();
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, []);
  return { rates: seen, now: last, failure };
}

export default function Dashboard(): ReactNode {
  const session = useSession();
  const { api } = session;
  const { rates, now, failure } = useRates();
  const server = useLoad(useCallback((signal) => api.get<Server>("/server", {}, signal), [api]), 30);
  const jobs = useLoad(useCallback((signal) => api.get<Known["jobs"]>("/server/jobs", {}, signal), [api]), 30);
  const certificates = useLoad(useCallback((signal) => api.get<Known["certificates"]>("/server/certificates", {}, signal), [api]), 3600);
  const found = now && server.data && jobs.data && certificates.data && warnings({
    defaultKeys: server.data.default_keys,
    auth: session.about.auth,
    gauges: now.gauges,
    certificates: certificates.data,
    jobs: jobs.data,
  });
  const lead = server.data && words.lead(server.data.version, duration(server.data.uptime_seconds), server.data.workers);
  return (
    <Page title={text.pages.dashboard} lead={lead}>
      <Failed failure={failure ?? server.failure} />
      {found?.map((one) => (
        <Notice key={one.title} kind={one.kind} live={false}><strong>{one.title}</strong><div className="more">{one.todo}</div></Notice>
      ))}
      {found?.length === 0 && <Notice kind="good" live={false}>{words.fine}</Notice>}
      {now === undefined ? <Loading /> : <Figures rates={rates} now={now} />}
      <div className="two wide">
        <Biggest />
        <Jobs jobs={jobs.data} />
      </div>
    </Page>
  );
}

function Figures({ rates, now }: { rates: readonly Rate[]; now: Look }): ReactNode {
  const latest = rates[rates.length - 1];
  const { geckos3_disk_size_bytes: size = 0, geckos3_disk_free_bytes: free = 0 } = now.gauges;
  const figures: [string, string, string, readonly number[]][] = [
    [words.requests, latest === undefined ? "–" : words.perSecond(decimal(latest.requests)), words.total(number(now.requests)), rates.map((one) => one.requests)],
    [words.errors, latest === undefined ? "–" : words.perSecond(decimal(latest.refused + latest.failed)), words.errorTotals(number(now.refused), number(now.failed)), rates.map((one) => one.refused + one.failed)],
    [words.latency, latest === undefined || latest.requests === 0 ? "–" : words.milliseconds(decimal(latest.latency * 1000)), words.average, rates.map((one) => one.latency)],
    [words.received, latest === undefined ? "–" : `${bytes(latest.received)}/s`, words.total(bytes(now.received)), rates.map((one) => one.received)],
    [words.sent, latest === undefined ? "–" : `${bytes(latest.sent)}/s`, words.total(bytes(now.sent)), rates.map((one) => one.sent)],
  ];
  return (
    <section className="grid figures" aria-label={words.live}>
      {figures.map(([label, value, more, values]) => (
        <div className="panel figure" key={label}>
          <h2 className="of">{label}</h2>
          <div className="value">{value}</div>
          <div className="of">{more}</div>
          <Line label={words.chart(label)} values={values} />
        </div>
      ))}
      <div className="panel figure">
        <h2 className="of">{words.disk}</h2>
        <div className="value">{bytes(free)}</div>
        <div className="of">{words.free(bytes(size))}</div>
        <div className="fill"><Meter share={size === 0 ? 0 : 1 - free / size} label={words.diskUsed} /></div>
        <div className="of">{words.open(number(now.gauges.geckos3_connections ?? 0), number(now.gauges.geckos3_requests_in_flight ?? 0))}</div>
      </div>
    </section>
  );
}

function decimal(value: number): string {
  return value === 0 ? "0" : value < 10 ? value.toFixed(1) : number(Math.round(value));
}

function Biggest(): ReactNode {
  const session = useSession();
  const { data, failure, reload } = useLoad(useCallback((signal) => listBuckets(session, "", 10_000, signal), [session]), 60);
  const sorted = [...(data?.buckets ?? [])].sort((one, other) => (other.used?.bytes ?? 0) - (one.used?.bytes ?? 0)).slice(0, 8);
  const most = Math.max(1, sorted[0]?.used?.bytes ?? 0);
  return (
    <section className="panel" aria-label={words.biggest}>
      <header><h2>{words.biggest}</h2><a href={href(["buckets"])}>{words.all(number(data?.buckets.length ?? 0))}</a></header>
      <Failed failure={failure} retry={reload} />
      {data !== undefined && sorted.length === 0 && <div className="empty"><Icon name="bucket" size={32} /><p>{text.buckets.emptyTitle}</p><a className="button main" href={href(["buckets"])}>{text.buckets.create}</a></div>}
      <ul className="bars">
        {sorted.map((one) => (
          <li key={one.name}>
            <div className="row between"><a className="name clip" href={href(["buckets", one.name])}>{one.name}</a><span className="muted small">{bytes(one.used?.bytes ?? 0)}, {text.buckets.count(one.used?.objects ?? 0)}</span></div>
            <div className="meter" aria-hidden="true"><i style={{ width: `${String(((one.used?.bytes ?? 0) / most) * 100)}%` }} /></div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Jobs({ jobs }: { jobs: Known["jobs"] | undefined }): ReactNode {
  if (jobs === undefined) return null;
  // What runs every second or two is no news.
  const shown = (jobs as readonly (Known["jobs"][number] & { interval_seconds: number; next: string | null })[]).filter((one) => one.interval_seconds >= 60);
  return (
    <section className="panel" aria-label={words.jobs}>
      <header><h2>{words.jobs}</h2></header>
      <div className="scroll">
        <table>
          <thead><tr><th scope="col">{words.job}</th><th scope="col">{words.lastRun}</th><th scope="col">{words.nextRun}</th></tr></thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.name}>
                <td className="name">{one.name}</td>
                <td className="muted">{when(one.last_succeeded)}</td>
                <td className="muted">{one.running ? <span className="badge good">{words.running}</span> : when(one.next)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
