/** Rate limits: what the settings say, what overrides them, what is in force. */
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { Ready, Section } from "../bucket/section";
import { number } from "../format";
import { Button, Check, Failed, Input, Page } from "../parts";
import { text } from "../strings";

const words = text.limits;

interface Limit {
  readonly rate: number;
  readonly burst: number;
}

interface One {
  readonly limit: Limit | null;
  readonly settings: Limit | null;
  readonly overridden: boolean;
}

const OF = ["address", "key"] as const;
type Of = (typeof OF)[number];
type All = Readonly<Record<Of, One>>;

export default function Limits(): ReactNode {
  const { api } = useSession();
  const limits = useLoad(useCallback((signal) => api.get<All>("/limits", {}, signal), [api]));
  return (
    <Page title={text.pages.limits} lead={words.lead}>
      <Ready {...limits}>
        {(found) => <div className="panel">{OF.map((of) => <Section key={of} title={words.of[of]} help={words.ofHelp[of]}><Form of={of} found={found[of]} reload={limits.reload} /></Section>)}</div>}
      </Ready>
    </Page>
  );
}

const shown = (limit: Limit | null): string => (limit === null ? words.none : words.each(number(limit.rate), number(limit.burst)));

function Form({ of, found, reload }: { of: Of; found: One; reload: () => void }): ReactNode {
  const { api } = useSession();
  const [rate, setRate] = useState(found.limit === null ? "" : String(found.limit.rate));
  const [burst, setBurst] = useState(found.limit === null ? "" : String(found.limit.burst));
  const [unlimited, setUnlimited] = useState(found.overridden && found.limit === null);
  const [tried, setTried] = useState(false);
  const { busy, failure, run, clear } = useAction();
  const isNumber = (typed: string): boolean => /^\d+(\.\d+)?$/.test(typed.trim());
  const wrongRate = unlimited || (isNumber(rate) && Number(rate) > 0) ? undefined : words.wrong;
  const wrongBurst = unlimited || burst.trim() === "" || isNumber(burst) ? undefined : words.wrongBurst;
  const at = (field: string): string | undefined => (failure?.field.endsWith(`.${field}`) ? failure.message : undefined);
  const apply = async (): Promise<void> => {
    setTried(true);
    if (wrongRate !== undefined || wrongBurst !== undefined) return;
    const pair = unlimited ? { rate: 0 } : { rate: Number(rate), ...(burst.trim() !== "" && { burst: Number(burst) }) };
    const done = await run(async () => { await api.ask("PUT", "/limits", { body: { [of]: pair } }); });
    if (!done) return;
    setTried(false);
    tell(text.saved);
    reload();
  };
  const giveBack = async (): Promise<void> => {
    const done = await run(async () => { await api.ask("DELETE", "/limits", { query: { of } }); });
    if (!done) return;
    setRate("");
    setBurst("");
    setUnlimited(false);
    setTried(false);
    tell(words.given);
    reload();
  };
  return (
    <form className="stack" noValidate aria-label={words.of[of]} onSubmit={(event) => { event.preventDefault(); void apply(); }}>
      <dl className="facts">
        <dt>{words.baseline}</dt><dd>{shown(found.settings)}</dd>
        <dt>{words.override}</dt><dd>{found.overridden ? shown(found.limit) : text.none}</dd>
        <dt>{words.effective}</dt><dd><strong>{shown(found.limit)}</strong>{found.overridden && <span className="badge warning">{words.overridden}</span>}</dd>
      </dl>
      <Check label={words.unlimited} help={words.overrideHelp} checked={unlimited} onChange={(event) => { setUnlimited(event.target.checked); clear(); }} />
      {!unlimited && (
        <div className="two">
          <Input label={words.rate} inputMode="decimal" value={rate} wrong={(tried || rate !== "" ? wrongRate : undefined) ?? at("rate")} onChange={(event) => { setRate(event.target.value); clear(); }} />
          <Input label={words.burst} help={words.burstHelp} inputMode="decimal" value={burst} wrong={wrongBurst ?? at("burst")} onChange={(event) => { setBurst(event.target.value); clear(); }} />
        </div>
      )}
      {at("rate") === undefined && at("burst") === undefined && <Failed failure={failure} />}
      <div className="row">
        <Button type="submit" kind="main" disabled={busy}>{words.apply}</Button>
        {found.overridden && <Button disabled={busy} onClick={() => { void giveBack(); }}>{words.giveBack}</Button>}
      </div>
    </form>
  );
}
