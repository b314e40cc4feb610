/** Tags as a form, of an object or of a bucket. */
import { useState, type ReactNode } from "react";
import { useAction } from "../api/load";
import { tell } from "../api/state";
import { text } from "../strings";
import { Button, Failed } from ".";
import { filled, Pairs, wrongPairs, type Pair } from "./pairs";

export function TagForm({ tags, onSave }: { tags: readonly Pair[]; onSave: (tags: readonly Pair[]) => Promise<void> }): ReactNode {
  const [pairs, setPairs] = useState(tags);
  const [wrong, setWrong] = useState<string>();
  const { busy, failure, run } = useAction();
  const save = async (): Promise<void> => {
    const problem = wrongPairs(pairs);
    setWrong(problem);
    if (problem !== undefined) return;
    await run(async () => {
      await onSave(filled(pairs));
      tell(text.saved);
    });
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <Pairs label={text.object.tabs.tags} pairs={pairs} wrong={wrong} onChange={setPairs} />
      <Failed failure={failure} />
      <div><Button type="submit" kind="main" disabled={busy}>{text.save}</Button></div>
    </form>
  );
}
