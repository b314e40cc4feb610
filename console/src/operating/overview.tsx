/** What runs here: version, workers, listeners, load, disk, certificates. */
import { useCallback, type ReactNode } from "react";
import { useLoad } from "../api/load";
import { useSession } from "../api/state";
import { Ready, Section } from "../bucket/section";
import { bytes, duration, number, when } from "../format";
import { Meter } from "../parts";
import { text } from "../strings";

const words = text.server;

interface Info {
  readonly version: string;
  readonly python: string;
  readonly started: string;
  readonly uptime_seconds: number;
  readonly region: string;
  readonly layout: string;
  readonly data_dir: string;
  readonly workers: number;
  readonly listeners: readonly { readonly place: string; readonly site: string; readonly secure: boolean }[];
}

interface Certificate {
  readonly file: string;
  readonly subject: string;
  readonly names: readonly string[];
  readonly ends: string;
  readonly days_left: number;
}

type Numbers = Readonly<Record<string, { readonly value: number; readonly about: string }>>;

export function ServerOverview(): ReactNode {
  const { api } = useSession();
  const info = useLoad(useCallback((signal) => api.get<Info>("/server", {}, signal), [api]));
  const disk = useLoad(useCallback((signal) => api.get<Numbers>("/server/disk", {}, signal), [api]), 10);
  const pools = useLoad(useCallback((signal) => api.get<Readonly<Record<string, number>>>("/server/pools", {}, signal), [api]), 5);
  const certificates = useLoad(useCallback((signal) => api.get<Certificate[]>("/server/certificates", {}, signal), [api]));
  return (
    <div className="panel">
      <Section title={words.about}><Ready {...info}>{(found) => <About found={found} />}</Ready></Section>
      <Section title={words.listeners}><Ready {...info}>{(found) => <Listeners found={found} />}</Ready></Section>
      <Section title={words.load} help={words.loadHelp}>
        <Ready {...pools}>{(found) => <dl className="facts">{Object.entries(found).map(([name, value]) => <div className="both" key={name}><dt>{spoken(name)}</dt><dd>{name.endsWith("_bytes") ? bytes(value) : number(value)}</dd></div>)}</dl>}</Ready>
      </Section>
      <Section title={words.disk} help={words.diskHelp}><Ready {...disk}>{(found) => <Disk found={found} />}</Ready></Section>
      <Section title={words.certificates} help={words.certificatesHelp}><Ready {...certificates}>{(found) => <Certificates found={found} />}</Ready></Section>
    </div>
  );
}

function spoken(name: string): string {
  const words = name.replace(/_bytes$/, "").replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function About({ found }: { found: Info }): ReactNode {
  return (
    <dl className="facts">
      <dt>{words.version}</dt><dd>{found.version}</dd>
      <dt>{words.started}</dt><dd>{when(found.started)} ({duration(found.uptime_seconds)})</dd>
      <dt>{words.workers}</dt><dd>{number(found.workers)}</dd>
      <dt>{words.region}</dt><dd>{found.region}</dd>
      <dt>{words.dataDir}</dt><dd className="mono">{found.data_dir}</dd>
      <dt>{words.layout}</dt><dd>{found.layout}</dd>
      <dt>{words.python}</dt><dd>{found.python}</dd>
    </dl>
  );
}

function Listeners({ found }: { found: Info }): ReactNode {
  return (
    <div className="scroll">
      <table>
        <caption className="hidden">{words.listeners}</caption>
        <thead><tr><th scope="col">{words.place}</th><th scope="col">{words.site}</th><th scope="col">{words.secure}</th></tr></thead>
        <tbody>{found.listeners.map((one) => <tr key={`${one.place} ${one.site}`}><td className="mono">{one.place}</td><td>{words.sites[one.site] ?? one.site}</td><td>{one.secure ? <span className="badge good">{words.yes}</span> : <span className="muted">{words.no}</span>}</td></tr>)}</tbody>
      </table>
    </div>
  );
}

function Disk({ found }: { found: Numbers }): ReactNode {
  const size = found.disk_size_bytes?.value;
  const free = found.disk_free_bytes?.value;
  const others = Object.entries(found).filter(([name]) => name !== "disk_size_bytes" && name !== "disk_free_bytes");
  return (
    <>
      {size !== undefined && free !== undefined && size > 0 && (
        <div className="stack tight"><span>{words.free(bytes(free), bytes(size))}</span><Meter share={1 - free / size} label={words.free(bytes(free), bytes(size))} /></div>
      )}
      <dl className="facts">{others.map(([name, one]) => <div className="both" key={name}><dt>{spoken(name)}</dt><dd title={one.about}>{name.endsWith("_bytes") ? bytes(one.value) : number(one.value)}</dd></div>)}</dl>
    </>
  );
}

function Certificates({ found }: { found: readonly Certificate[] }): ReactNode {
  if (found.length === 0) return <p className="muted">{words.noCertificates}</p>;
  return (
    <div className="scroll">
      <table>
        <caption className="hidden">{words.certificates}</caption>
        <thead><tr><th scope="col">{words.names}</th><th scope="col">{words.ends}</th><th scope="col">{words.file}</th></tr></thead>
        <tbody>
          {found.map((one) => (
            <tr key={`${one.file} ${one.subject}`}>
              <td>{one.names.length > 0 ? one.names.join(", ") : one.subject}</td>
              <td>{when(one.ends)} <span className={`badge ${one.days_left < 7 ? "error" : one.days_left < 30 ? "warning" : "good"}`}>{words.days(one.days_left < 0 ? -1 : Math.floor(one.days_left))}</span></td>
              <td className="mono small breaks">{one.file}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
