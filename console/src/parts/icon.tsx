import type { ReactNode } from "react";

const DRAWN: Record<string, ReactNode> = {
  dashboard: <><rect x="3" y="3" width="6" height="8" rx="1" /><rect x="11" y="3" width="6" height="4" rx="1" /><rect x="11" y="9" width="6" height="8" rx="1" /><rect x="3" y="13" width="6" height="4" rx="1" /></>,
  bucket: <><ellipse cx="10" cy="5" rx="7" ry="2.5" /><path d="M3 5l1.6 10.6c.2 1.1 2.5 1.9 5.4 1.9s5.2-.8 5.4-1.9L17 5" /></>,
  folder: <path d="M3 5.5A1.5 1.5 0 0 1 4.5 4h3l2 2h6A1.5 1.5 0 0 1 17 7.500v7a1.5 1.5 0 0 1-1.500 1.5h-11A1.5 1.5 0 0 1 3 14.500z" />,
  file: <><path d="M5 3h6l4 4v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z" /><path d="M11 3v4h4" /></>,
  people: <><circle cx="7.500" cy="7" r="3" /><path d="M2 16.500c.3-3 2.500-4.500 5.500-4.500s5.200 1.500 5.500 4.500M13 4.500a3 3 0 0 1 0 5M15 12.500c1.800.6 2.800 2 3 4" /></>,
  bell: <path d="M5 8a5 5 0 0 1 10 0c0 4 1.500 5.500 1.500 5.500h-13S5 12 5 8zM8.500 16.500a1.700 1.700 0 0 0 3 0" />,
  gauge: <><path d="M3 14a7 7 0 1 1 14 0" /><path d="M10 14l3.500-4.500" /></>,
  key: <><circle cx="6.500" cy="13.500" r="3.500" /><path d="M9 11l8-8M14 6l2.500 2.500M11.500 8.500l2 2" /></>,
  list: <path d="M7 5h10M7 10h10M7 15h10M3 5h.01M3 10h.01M3 15h.01" />,
  shield: <><path d="M10 2.500l6 2v5c0 4-2.500 6.500-6 8-3.500-1.500-6-4-6-8v-5z" /><path d="M7.500 10l2 2 3.500-4" /></>,
  server: <><rect x="3" y="3" width="14" height="6" rx="1.500" /><rect x="3" y="11" width="14" height="6" rx="1.500" /><path d="M6 6h.01M6 14h.01" /></>,
  search: <><circle cx="9" cy="9" r="5.500" /><path d="M13 13l4 4" /></>,
  plus: <path d="M10 4v12M4 10h12" />,
  close: <path d="M5 5l10 10M15 5L5 15" />,
  check: <path d="M4 10.500l4 4 8-9" />,
  gear: <><circle cx="10" cy="10" r="2.500" /><path d="M10 2.500v2.200M10 15.300v2.200M17.500 10h-2.200M4.700 10H2.500M15.300 4.700l-1.600 1.600M6.300 13.700l-1.600 1.600M15.300 15.300l-1.600-1.600M6.300 6.300L4.700 4.700" /></>,
  reload: <path d="M16 5v4h-4M16 9a6.500 6.500 0 1 0 .5 3" />,
  upload: <path d="M10 13V3M6 7l4-4 4 4M3 14v2a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-2" />,
  download: <path d="M10 3v10M6 9l4 4 4-4M3 14v2a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-2" />,
  trash: <path d="M4 6h12M8 6V4h4v2M5.500 6l.7 10a1 1 0 0 0 1 1h5.600a1 1 0 0 0 1-1l.7-10M8.500 9v5M11.500 9v5" />,
  link: <path d="M8.500 11.500a3 3 0 0 0 4.200 0l3-3a3 3 0 0 0-4.200-4.200l-1 1M11.500 8.500a3 3 0 0 0-4.200 0l-3 3a3 3 0 0 0 4.200 4.200l1-1" />,
  pause: <path d="M7 4v12M13 4v12" />,
  play: <path d="M6 4l10 6-10 6z" />,
  alert: <><path d="M10 3l8 14H2z" /><path d="M10 8v4M10 14.500h.01" /></>,
  info: <><circle cx="10" cy="10" r="7.500" /><path d="M10 9v5M10 6.500h.01" /></>,
  menu: <path d="M3 5h14M3 10h14M3 15h14" />,
  out: <path d="M8 3H4a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h4M12 6l4 4-4 4M16 10H7" />,
  copy: <><rect x="7" y="7" width="10" height="10" rx="1.500" /><path d="M13 4.500A1.500 1.500 0 0 0 11.500 3h-7A1.500 1.500 0 0 0 3 4.500v7A1.500 1.500 0 0 0 4.500 13" /></>,
  up: <path d="M5 12l5-5 5 5" />,
  down: <path d="M5 8l5 5 5-5" />,
};

/** A drawing beside words: a screen reader is told nothing of it. */
export function Icon({ name, size = 18 }: { name: string; size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      {DRAWN[name]}
    </svg>
  );
}
