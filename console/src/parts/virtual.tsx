/** A table of any length: only the rows that are seen exist. */
import { useEffect, useRef, useState, type ReactNode } from "react";

const HEIGHT = 44;
const BEYOND = 8;

interface Props {
  readonly label: string;
  readonly count: number;
  readonly head: ReactNode;
  /** The cells of a row, each with the role "cell". */
  readonly row: (index: number) => ReactNode;
  readonly selected?: (index: number) => boolean;
  /** Called when the end comes into sight, for the next page. */
  readonly onEnd?: () => void;
}

export function VirtualTable({ label, count, head, row, selected, onEnd }: Props): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ first: 0, last: 40 });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => {
      const first = Math.max(0, Math.floor(element.scrollTop / HEIGHT) - BEYOND);
      const last = Math.ceil((element.scrollTop + element.clientHeight) / HEIGHT) + BEYOND;
      setSeen((old) => (old.first === first && old.last === last ? old : { first, last }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, []);
  const last = Math.min(count, seen.last);
  const first = Math.min(seen.first, Math.max(0, last - 1));
  const near = seen.last >= count - 50;
  useEffect(() => {
    if (near) onEnd?.();
  }, [near, onEnd, count]);
  const rows: ReactNode[] = [];
  for (let index = first; index < last; index += 1)
    rows.push(
      <div key={index} role="row" aria-rowindex={index + 2} aria-selected={selected?.(index)} className={`vrow ${selected?.(index) === true ? "chosen" : ""}`} style={{ top: index * HEIGHT }}>
        {row(index)}
      </div>,
    );
  return (
    <div className="panel virtual" role="grid" aria-label={label} aria-rowcount={count + 1} aria-multiselectable={selected !== undefined || undefined}>
      <div role="rowgroup"><div role="row" aria-rowindex={1} className="vhead">{head}</div></div>
      <div ref={box} role="rowgroup" className="vbox">
        <div className="vall" role="presentation" style={{ height: count * HEIGHT }}>{rows}</div>
      </div>
    </div>
  );
}
