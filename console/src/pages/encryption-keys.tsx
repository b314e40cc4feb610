/** Keys of server-side encryption: their names and generations; made and rotated, never shown. */
import { useCallback, useState, type ReactNode } from "react";
import { useAction, useLoad } from "../api/load";
import { tell, useSession } from "../api/state";
import { number } from "../format";
import { Button, Confirm, Dialog, Empty, Failed, Input, Loading, Page } from "../parts";
import { text } from "../strings";

const words = text.encryptionKeys;

interface Key {
  /** Null for that of SSE-S3. */
  readonly name: string | null;
  readonly generations: number;
}

export default function EncryptionKeys(): ReactNode {
  const { api } = useSession();
  const { data, failure, reload } = useLoad(useCallback((signal) => api.get<Key[]>("/encryption-keys", {}, signal), [api]));
  const [creating, setCreating] = useState(false);
  const [rotating, setRotating] = useState<Key>();
  const rotation = useAction();
  const nameOf = (key: Key): string => key.name ?? words.s3;
  return (
    <Page title={text.pages.encryptionKeys} lead={words.lead} actions={<Button kind="main" icon="plus" onClick={() => { setCreating(true); }}>{words.create}</Button>}>
      <Failed failure={failure} retry={reload} />
      {data === undefined && failure === undefined && <Loading />}
      {data?.length === 0 && <div className="panel"><Empty icon="key" title={words.emptyTitle}><p className="muted">{words.empty}</p></Empty></div>}
      {data !== undefined && data.length > 0 && (
        <div className="panel scroll">
          <table>
            <caption className="hidden">{text.pages.encryptionKeys}</caption>
            <thead><tr><th scope="col">{words.name}</th><th scope="col">{words.kind}</th><th scope="col" className="number">{words.generations}</th><th scope="col"><span className="hidden">{text.buckets.actions}</span></th></tr></thead>
            <tbody>
              {data.map((key) => (
                <tr key={key.name ?? ""}>
                  <td className={key.name === null ? "muted" : "name mono"}>{nameOf(key)}</td>
                  <td>{key.name === null ? words.kinds.s3 : words.kinds.kms}</td>
                  <td className="number">{number(key.generations)}</td>
                  <td className="number"><Button kind="small" aria-label={words.rotateOf(nameOf(key))} onClick={() => { setRotating(key); }}>{words.rotate}</Button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p className="small muted">{words.note}</p>
      {creating && <Create taken={(data ?? []).map((key) => key.name)} onClose={() => { setCreating(false); }} onMade={reload} />}
      {rotating !== undefined && (
        <Confirm title={words.rotateTitle(nameOf(rotating))} action={words.rotate} busy={rotation.busy} failure={rotation.failure} onClose={() => { setRotating(undefined); }} onConfirm={() => {
          void rotation.run(async () => {
            await api.ask("POST", "/encryption-keys/rotate", { body: { name: rotating.name } });
            setRotating(undefined);
            tell(words.rotated);
            reload();
          });
        }}><p>{words.rotateWarn}</p></Confirm>
      )}
    </Page>
  );
}

function Create({ taken, onClose, onMade }: { taken: readonly (string | null)[]; onClose: () => void; onMade: () => void }): ReactNode {
  const { api } = useSession();
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const { busy, failure, run, clear } = useAction();
  const wrong = !/^[^/\s\p{C}]{1,128}$/u.test(name) ? words.wrong : taken.includes(name) ? words.taken(name) : undefined;
  const refused = failure?.field === "body.name" ? failure.message : undefined;
  const create = async (): Promise<void> => {
    setTried(true);
    if (wrong !== undefined) return;
    const done = await run(async () => { await api.ask("POST", "/encryption-keys", { body: { name } }); });
    if (!done) return;
    tell(words.made(name));
    onMade();
    onClose();
  };
  return (
    <Dialog title={words.title} onClose={onClose} onSubmit={() => { void create(); }} footer={<><Button onClick={onClose}>{text.cancel}</Button><Button type="submit" kind="main" disabled={busy}>{words.create}</Button></>}>
      <Input label={words.name} help={words.nameHelp} value={name} autoFocus spellCheck={false} wrong={(tried || name !== "" ? wrong : undefined) ?? refused} onChange={(event) => { setName(event.target.value); clear(); }} />
      {refused === undefined && <Failed failure={failure} />}
    </Dialog>
  );
}
