/** The settings in force; secrets are hidden by the server. */
import { useCallback, useState, type ReactNode } from "react";
import { useLoad } from "../api/load";
import { useSession } from "../api/state";
import { Empty, Failed, Loading, Search } from "../parts";
import { text } from "../strings";

const words = text.server;

type Settings = Readonly<Record<string, { readonly value: unknown; readonly about: string }>>;

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => shown(one)).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function ServerSettings(): ReactNode {
  const { api } = useSession();
  const { data, failure, reload } = useLoad(useCallback((signal) => api.get<Settings>("/server/settings", {}, signal), [api]));
  const [typed, setTyped] = useState("");
  const found = Object.entries(data ?? {}).filter(([name, { value, about }]) => `${name} ${shown(value)} ${about}`.toLowerCase().includes(typed.trim().toLowerCase()));
  return (
    <>
      <p className="muted">{words.settingsHelp}</p>
      <div className="row"><Search label={words.search} value={typed} onChange={setTyped} /></div>
      <Failed failure={failure} retry={reload} />
      {data === undefined && failure === undefined && <Loading />}
      {data !== undefined && found.length === 0 && <div className="panel"><Empty icon="search" title={words.nothing(typed)} /></div>}
      {found.length > 0 && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{words.tabs.settings}</caption>
            <thead><tr><th scope="col">{words.setting}</th><th scope="col">{words.value}</th><th scope="col">{words.meaning}</th></tr></thead>
            <tbody>
              {found.map(([name, { value, about }]) => (
                <tr key={name}>
                  <td className="mono name">{name}</td>
                  <td className="mono breaks value">{value === null || value === "" || (Array.isArray(value) && value.length === 0) ? <span className="muted">{value === null ? "–" : words.unset}</span> : shown(value)}</td>
                  <td className="small muted">{about}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
