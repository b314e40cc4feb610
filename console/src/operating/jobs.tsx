/** What the server does by itself, and has done now. */
import { useCallback, type ReactNode } from "react";
import { piece } from "../api/admin";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { duration, number, when } from "../format";
import { Button, Failed, Loading } from "../parts";
import { text } from "../strings";

const words = text.server;

interface Job {
  readonly name: string;
  readonly interval_seconds: number;
  readonly running: boolean;
  readonly last_begun: string | null;
  readonly last_took_seconds: number | null;
  readonly next: string | null;
  readonly runs: number;
  readonly failures: number;
}

export function Jobs(): ReactNode {
  const { api } = useSession();
  const { data, failure, reload } = useLoad(useCallback((signal) => api.get<Job[]>("/server/jobs", {}, signal), [api]), 2);
  const { busy, failure: refused, run } = useAction();
  const start = (name: string): void => {
    void run(async () => {
      await api.ask("POST", `/server/jobs/${piece(name)}/run`);
      tell(words.asked);
      reload();
    });
  };
  return (
    <>
      <Failed failure={refused} />
      <Failed failure={failure} retry={reload} />
      {data === undefined && failure === undefined && <Loading />}
      {data !== undefined && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{words.tabs.jobs}</caption>
            <thead><tr><th scope="col">{words.job}</th><th scope="col">{words.last}</th><th scope="col" className="number">{words.took}</th><th scope="col">{words.next}</th><th scope="col" className="number">{words.failures}</th><th scope="col"><span className="hidden">{text.buckets.actions}</span></th></tr></thead>
            <tbody>
              {data.map((one) => (
                <tr key={one.name}>
                  <td><span className="name">{one.name}</span><div className="small muted">{text.integrity.interval.toLowerCase()} {duration(one.interval_seconds)}</div></td>
                  <td className="muted">{one.running ? <span className="badge good">{words.running}</span> : one.last_begun === null ? words.never : when(one.last_begun)}</td>
                  <td className="number muted">{one.last_took_seconds === null ? "–" : duration(one.last_took_seconds)}</td>
                  <td className="muted">{when(one.next)}</td>
                  <td className="number">{one.failures > 0 ? <span className="badge error">{words.of(number(one.failures), number(one.runs))}</span> : <span className="muted">{words.of("0", number(one.runs))}</span>}</td>
                  <td className="number"><Button kind="small" icon="play" disabled={busy} aria-label={words.runOf(one.name)} onClick={() => { start(one.name); }}>{words.run}</Button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
