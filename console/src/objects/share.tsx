/** A link to an object for somebody without a key. It is signed in the page. */
import { useState, type ReactNode } from "react";
import { useAction } from "../api/load";
import { endpointOf } from "../api/place";
import { useSession } from "../api/state";
import { Button, Choice, Failed, Icon, Input, copy } from "../parts";
import { text } from "../strings";
import type { Which } from "./details";
import { sharedLink } from "./links";

export function Share({ bucket, name, version }: Which): ReactNode {
  const session = useSession();
  const [method, setMethod] = useState<"GET" | "PUT">("GET");
  const [endpoint, setEndpoint] = useState(() => endpointOf(session.about));
  const [seconds, setSeconds] = useState("86400");
  const [wrong, setWrong] = useState<string>();
  const [link, setLink] = useState("");
  const { busy, failure, run } = useAction();
  const make = async (): Promise<void> => {
    setLink("");
    if (!/^https?:\/\/[^/\s]+\/?$/.test(endpoint.trim())) { setWrong(text.object.share.endpointWrong); return; }
    setWrong(undefined);
    await run(async () => {
      setLink(await sharedLink(session, endpoint.trim().replace(/\/$/, ""), { bucket, key: name, version, method, seconds: Number(seconds) }));
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); void make(); }}>
      <div className="two">
        <Choice label={text.object.share.method} value={method} options={[["GET", text.object.share.get], ["PUT", text.object.share.put]]} onChange={(event) => { setMethod(event.target.value as "GET" | "PUT"); setLink(""); }} />
        <Choice label={text.object.share.expiry} value={seconds} options={Object.entries(text.object.share.times)} onChange={(event) => { setSeconds(event.target.value); setLink(""); }} />
      </div>
      <Input label={text.object.share.endpoint} help={text.object.share.endpointHelp} value={endpoint} wrong={wrong} onChange={(event) => { setEndpoint(event.target.value); setLink(""); }} />
      <Failed failure={failure} />
      <div><Button type="submit" kind="main" icon="link" disabled={busy}>{text.object.share.make}</Button></div>
      {link !== "" && (
        <div className="row">
          <div className="grow"><Input label={text.object.share.link} readOnly className="mono" value={link} onFocus={(event) => { event.target.select(); }} help={text.object.share.note} /></div>
          <Button onClick={() => { void copy(link); }}><Icon name="copy" />{text.copy}</Button>
        </div>
      )}
    </form>
  );
}
