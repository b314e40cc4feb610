import { Component, Suspense, useCallback, useEffect, useState, type ReactNode } from "react";
import { failureOf } from "./api/failure";
import { askAbout, type About } from "./api/place";
import { keep, kept, signIn, type Session } from "./api/session";
import { SessionContext, dismiss, renewed, useEnded, useToasts } from "./api/state";
import icon from "./icon.svg";
import { Button, Dialog, IconButton, Icon, Loading, Notice, Page } from "./parts";
import { PAGES } from "./pages/table";
import { uploads } from "./objects/uploads";
import { UploadsPanel } from "./objects/panel";
import { SignIn, SignInForm } from "./pages/sign-in";
import { href, useRoute } from "./router";
import { text } from "./strings";

export function App(): ReactNode {
  const [about, setAbout] = useState<About>();
  const [session, setSession] = useState<Session>();
  const [unreachable, setUnreachable] = useState(false);
  const begin = useCallback(async () => {
    setUnreachable(false);
    let found: About;
    try {
      found = await askAbout();
    } catch {
      setUnreachable(true);
      return;
    }
    const credentials = kept();
    if (credentials !== null) {
      try {
        setSession(await signIn(credentials, found));
      } catch (error) {
        if (failureOf(error).kind === "offline") {
          setUnreachable(true);
          return;
        }
        keep(null);
      }
    }
    setAbout(found);
  }, []);
  useEffect(() => {
    void begin();
  }, [begin]);
  useEffect(() => {
    uploads.use(session);
  }, [session]);
  if (unreachable)
    return <main className="door"><Notice kind="error" action={<Button onClick={() => { void begin(); }}>{text.retry}</Button>}>{text.signIn.unreachable}</Notice></main>;
  if (about === undefined) return <main className="door"><Loading /></main>;
  if (session === undefined) return <><SignIn about={about} onSession={setSession} /><Toasts /></>;
  return (
    <SessionContext value={session}>
      <Shell session={session} onSession={setSession} onSignOut={() => { keep(null); renewed(); setSession(undefined); }} />
      <UploadsPanel />
      <Toasts />
    </SessionContext>
  );
}

function Shell({ session, onSession, onSignOut }: { session: Session; onSession: (session: Session) => void; onSignOut: () => void }): ReactNode {
  const route = useRoute();
  const ended = useEnded();
  const [open, setOpen] = useState(false);
  const pages = PAGES.filter((page) => session.admin || !page.admin);
  const name = route.path[0] ?? pages[0]?.name;
  const row = pages.find((page) => page.name === name);
  useEffect(() => {
    setOpen(false);
  }, [route]);
  return (
    <div className="shell">
      <a className="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>{text.skip}</a>
      <header className={`side ${open ? "open" : ""}`}>
        <div className="top">
          <a className="brand" href={href([])}><img src={icon} alt="" />{text.name}</a>
          <IconButton className="button icon menu" label={text.menu} icon="menu" aria-expanded={open} onClick={() => { setOpen(!open); }} />
        </div>
        <nav aria-label={text.navigation}>
          <ul>
            {pages.map((page) => (
              <li key={page.name}><a href={href([page.name])} aria-current={page.name === name ? "page" : undefined}><Icon name={page.icon} />{page.title}</a></li>
            ))}
          </ul>
        </nav>
        <div className="who">
          <div>
            <div className="small muted">{text.shell.signedInAs}</div>
            <div className="clip mono" title={session.credentials.accessKeyId}>{session.credentials.accessKeyId}</div>
            {!session.admin && <span className="badge" title={text.shell.limitedHelp}>{text.shell.limited}</span>}
          </div>
          <Theme />
          <Button icon="out" onClick={onSignOut}>{text.shell.signOut}</Button>
        </div>
      </header>
      <main className="content" id="content" tabIndex={-1}>
        <Guard key={route.path.join("/")}>
          <Suspense fallback={<Loading />}>
            {row === undefined && PAGES.some((page) => page.name === name) ? <NotAllowed title={PAGES.find((page) => page.name === name)?.title ?? ""} /> : row === undefined ? <Page title={text.shell.notFound}><a href={href([])}>{text.pages.dashboard}</a></Page> : <row.page />}
          </Suspense>
        </Guard>
      </main>
      {ended !== null && (
        <Dialog title={text.signIn.again} onClose={renewed}>
          <Notice kind="warning">{ended.sentence}</Notice>
          <SignInForm about={session.about} who={session.credentials.accessKeyId} onSession={(fresh) => { onSession(fresh); renewed(); }} />
        </Dialog>
      )}
    </div>
  );
}

function NotAllowed({ title }: { title: string }): ReactNode {
  return <Page title={title}><Notice kind="info">{text.notAllowed.title(title)}. {text.notAllowed.help}</Notice></Page>;
}

const THEME = "geckos3.theme";

function Theme(): ReactNode {
  const [theme, setTheme] = useState(() => localStorage.getItem(THEME) ?? "auto");
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem(THEME, theme);
  }, [theme]);
  return (
    <select className="input" aria-label={text.shell.theme.label} value={theme} onChange={(event) => { setTheme(event.target.value); }}>
      <option value="auto">{text.shell.theme.auto}</option>
      <option value="light">{text.shell.theme.light}</option>
      <option value="dark">{text.shell.theme.dark}</option>
    </select>
  );
}

function Toasts(): ReactNode {
  const toasts = useToasts();
  return (
    <div className="toasts" aria-live="polite">
      {toasts.map((toast) => (
        <Notice key={toast.id} kind={toast.kind} live={false} action={<IconButton kind="plain small" label={text.close} icon="close" onClick={() => { dismiss(toast.id); }} />}>{toast.text}</Notice>
      ))}
    </div>
  );
}

/** A mistake in one page is shown there; the others go on. */
class Guard extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };
  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }
  override render(): ReactNode {
    return this.state.broken ? <Notice kind="error" action={<Button onClick={() => { location.reload(); }}>{text.reload}</Button>}>{text.shell.broken}</Notice> : this.props.children;
  }
}
